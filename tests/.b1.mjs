import { chromium } from "playwright-core";
import http from "node:http";
const base=process.argv[2]; const key=null;
const hits=[]; let conns=0;
const srv=http.createServer((q,r)=>{hits.push(q.url); r.setHeader("access-control-allow-origin","*"); r.end("x")}); srv.on("connection",()=>conns++); await new Promise(r=>srv.listen(0,"127.0.0.1",r));
const S=`http://127.0.0.1:${srv.address().port}`;
const browser=await chromium.launch({executablePath:"/usr/bin/chromium",args:["--no-sandbox","--disable-gpu","--disable-background-networking","--disable-component-update","--no-first-run"]});
const W="<p id=hostile>Hostile</p>";
const cases={
 smil_target:`${W}<svg width=200 height=50><a href="${S}/smil-target"><set attributeName="target" to="_self"/><text y=20>svg</text></a></svg>`,
 smil_target2:`${W}<svg width=200 height=50><a href="html?remote=1"><set attributeName="target" to="_self" begin="0s"/><text y=20>svg</text></a></svg>`,
 smil_href:`${W}<svg width=200 height=50><a><set attributeName="href" to="${S}/smil-href"/><set attributeName="target" to="_self"/><text y=20>svg</text></a><image width=9 height=9><set attributeName="href" to="${S}/smil-img"/></image><image width=9 height=9><animate attributeName="xlink:href" values="${S}/smil-img2" begin=0s dur=1s fill=freeze /></image></svg>`,
 math_href:`${W}<math href="${S}/math1"><mtext>x</mtext></math><math><mi href="${S}/mi">y</mi><mtext><a href="${S}/mtexta">z</a></mtext></math>`,
 attributionsrc:`${W}<img attributionsrc="${S}/attr" src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="><a href="${S}/a" attributionsrc="${S}/attr2">a</a>`,
 shadow:`${W}<div><template shadowrootmode=open><style>@import "${S}/sh";</style><meta http-equiv=refresh content="0;${S}/shr"><img src=${S}/shi><slot></slot></template></div>`,
 svgstyle:`${W}<svg><style>&lt;/style>&lt;img src=${S}/ss onerror=alert(1)>@im&#112;ort "${S}/si";</style></svg><svg><p><style/><img src="${S}/p"><meta http-equiv=refresh content="0;${S}/x"></style>`,
 svgtitle:`${W}<svg><title><style><img title="</style></title><meta http-equiv=refresh content=0;${S}/st>"></title></svg>`,
 mglyph:`${W}<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;meta http-equiv=refresh content=0;${S}/mg&gt;&lt;img src=${S}/m onerror=alert(1)&gt;">`,
 mglyph2:`${W}<form><math><mtext></form><form><mglyph><style></math><img src=${S}/mg2 onerror=alert(1)>`,
 select:`${W}<select><template><style><!--</style><a rel="--></style></template></select><img src=${S}/sel onerror=alert(1)>">`,
 noscript:`${W}<noscript><p title="</noscript><img src=${S}/ns onerror=alert(1)><meta http-equiv=refresh content='0;${S}/nsr'>"></noscript>`,
 nul:`${W}<me\0ta http-equiv=refresh content="0;${S}/nul"><scr\0ipt>alert(1)</scr\0ipt><meta http\0-equiv=refresh content="0;${S}/nul2"><style>a{}<\0/style><\0img src=${S}/n></style><img\0 src=${S}/n2><svg><\0style><img src=${S}/n3></svg>`,
 cr:`${W}<meta\rhttp-equiv=refresh\rcontent="0;${S}/cr"><meta/http-equiv=refresh/content="0;${S}/sl"><meta\fhttp-equiv="refresh"\fcontent="0;${S}/ff">`,
 dup:`${W}<meta name=viewport content="0;${S}/d" HTTP-EQUIV=refresh http-equiv=x>`,
 css:`<style>@import "${S}/i1" layer(x) supports(display:block);@import url("${S}/i2");@\\69mport "${S}/i3";p{background:image-set("${S}/is" 1x);mask:-webkit-image-set(url(${S}/wis) 1x);background-image:-webkit-cross-fade(url(${S}/cf),url(${S}/cf2),50%);src:src("${S}/src");cursor:url(${S}/cur),auto;behavior:url(${S}/htc);-moz-binding:url(${S}/moz);width:expression(alert(1))}@font-face{font-family:f;src:url(${S}/f)}p{font-family:f}@namespace url(${S}/ns);@view-transition{navigation:auto}@property --x{syntax:"<url>";inherits:true;initial-value:url(${S}/prop)}</style>${W}<p style="background:image-set('${S}/isa' 1x)">x<p style="background:\\75rl(${S}/esc)">`,
 links:`${W}<link rel=" stylesheet" href="${S}/l1"><link rel="alternate stylesheet" title=x href="${S}/l2"><link rel="stylesheet\tpreconnect" href="${S}/l3"><link rel=stylesheet href="//${S.slice(7)}/l4"><link rel=stylesheet href="/\\${S.slice(7)}/l5"><link rel=expect href=#x blocking=render><link rel=stylesheet href="data:text/css,@import '${S}/l6'"><link rel=compression-dictionary href="${S}/l7"><link rel=facilitated-payment href="${S}/l8">`,
 media:`${W}<video src="${S}/v" autoplay controls></video><audio src="${S}/au" autoplay></audio><video><source srcset=${S}/vs src=${S}/vs2><track src=${S}/t default></video><img lowsrc=${S}/low dynsrc=${S}/dyn longdesc=${S}/ld><input type=image src=${S}/in><body background=${S}/bg><table background=${S}/tb><bgsound src=${S}/bgs><marquee src=${S}/mq>`,
 svgref:`${W}<svg><use href="${S}/use#x"/><use href="data:image/svg+xml,<svg id=x xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>#x"/><feImage href="${S}/fe"/><filter id=f><feImage xlink:href="${S}/fe2"/></filter><rect filter="url(#f)" width=9 height=9 /><rect fill="url(${S}/fill#x)" width=9 height=9 /><textPath href="${S}/tp"/><pattern href="${S}/pat#x"/><mpath href="${S}/mp"/><foreignObject><body onload=alert(1)><img src=${S}/fo></foreignObject><script href="${S}/sc"/><animate attributeName=x begin="${S}/b" onbegin=alert(1) dur=1s /><discard begin=0s /><a xlink:href="${S}/xl"><text y=10>x</text></a><image xlink:href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cimage href='${S}/inner'/%3E%3Cscript%3Ealert(1)%3C/script%3E%3C/svg%3E" width=9 height=9 /></svg>`,
 clicks:`${W}<a href="${S}/c1">one</a><a href="${S}/c2" download=x.exe>two</a><a href="data:text/html,<script>alert(1)</script>">three</a><a href="blob:x">f</a><a href="about:blank">ab</a><a href="html?remote=1">self</a><a href="/preview">own</a><a href="mailto:x@y">m</a><map name=m><area href=${S}/c4 coords=0,0,50,50></map><img usemap=#m width=50 height=50 alt=x src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="><form action=${S}/f1><input name=a><button>sub</button><input type=submit formaction=${S}/f2><input type=image src=x></form><button form=f formaction=${S}/f3>b</button><form id=f method=dialog></form><button command=show-modal commandfor=d>dlg</button><dialog id=d>dialog</dialog><input type=file id=file>`,
 overlay:`${W}<dialog open style="position:fixed;inset:0;z-index:99999;width:9999px;height:9999px">over</dialog><div popover=manual style="position:fixed">x</div><p style="position:fixed;top:-1000px;left:-1000px;width:9999px;height:9999px;z-index:2147483647">fixed</p>`,
 parser:`${W}<table><meta http-equiv=refresh content="0;${S}/tm"><tr><td><svg><desc><table><td></svg><style><meta http-equiv=refresh content="0;${S}/tm2"></style><svg></p><style><a id="</style><img src=${S}/svgp onerror=alert(1)>"></svg><iframe><!--</iframe><img src=${S}/ifc onerror=alert(1)>--><xmp><!--</xmp><img src=${S}/xm onerror=alert(1)>--><noembed></noembed><img src=${S}/ne><noframes><style></noframes><img src=${S}/nf onerror=alert(1)></style>`,
 frameset:`<frameset cols=*><frame src=${S}/fr></frameset><noframes><p id=hostile></noframes>`,
 textarea:`${W}<textarea></textarea\0><img src=${S}/ta onerror=alert(1)></textarea><title></title/><img src=${S}/ti></title foo="><img src=${S}/ti2 onerror=alert(1)>">`,
 plaintext:`${W}<svg><plaintext><img src=${S}/pt onerror=alert(1)></svg><script/><meta http-equiv=refresh content="0;${S}/pts"></script><plaintext></plaintext><meta http-equiv=refresh content="0;${S}/pt3">`,
 charset:`${W}<meta charset=utf-7>+ADw-script+AD4-alert(1)+ADw-/script+AD4-<meta http-equiv=content-type content="text/html;charset=iso-2022-jp"><p title="\x1b$B"><img src=${S}/cs title="\x1b(B><script>alert(1)</script>">`,
 prefetch:`${W}<meta http-equiv=x-dns-prefetch-control content=on><a href="http://dnsprefetch.invalid/">x</a><meta name=viewport content="width=device-width"><meta http-equiv=origin-trial content=x><meta http-equiv=delegate-ch content="x"><meta http-equiv=Accept-CH content=DPR><meta name=referrer content=unsafe-url><meta name=color-scheme content=dark><meta name=theme-color content=red>`,
 geol:`${W}<geolocation autolocate></geolocation><permission type=geolocation></permission><install></install><usermedia></usermedia><controlledframe src=${S}/cfr></controlledframe><webview src=${S}/wv></webview><model src=${S}/mod></model><source src=${S}/sr>`,
};
let bad=0;
async function view(html){const r=await fetch(base+"/preview/api/views",{method:"POST",headers:{"content-type":"application/json"},body:JSON.stringify({from:"a@example.com",to:"b@example.org",subject:"Hostile",text:"x",html})}); const j=await r.json(); if(r.status!==200) console.log("POST",r.status,JSON.stringify(j).slice(0,300)); return j}
for (const [name,html] of Object.entries(cases)) {
 for (const mode of ["page","direct"]) {
  const ctx=await browser.newContext(); const page=await ctx.newPage(); ctx.setDefaultTimeout(8000);
  const told=[]; page.on("pageerror",e=>told.push("err "+e)); page.on("dialog",d=>{told.push("dialog");d.dismiss()}); page.on("download",()=>told.push("download")); ctx.on("page",p=>{ if(p!==page) told.push("window "+p.url())}); page.on("framenavigated",f=>told.push("nav "+(f.parentFrame()?"child ":"main ")+f.url().replace(/[0-9a-f]{32}/,"V")));
  hits.length=0; conns=0; let remote="?";
  try {
   const v=await view(html); if(!v.html) {console.log(name,"no html");await ctx.close();continue} remote=v.html.remote;
   if(mode==="page"){ await page.goto(base+"/preview#message"); await page.getByLabel("Message as JSON").fill(JSON.stringify({from:"a@example.com",to:"b@example.org",subject:"Hostile",text:"x",html})); await page.waitForFunction(()=>document.querySelector("#subject")?.textContent==="Hostile"&&document.querySelectorAll("#stage iframe").length===1&&!document.querySelector("#stage .coming")); }
   else await page.goto(base+v.html.url);
   await page.waitForTimeout(400);
   const n0=told.length; const frame=mode==="page"?page.frames()[1]:page.mainFrame(); const u0=frame?.url();
   const els=await frame.locator("a,area,button,input,summary,text,mi,math,mtext,geolocation,permission").all();
   for(const e of els.slice(0,25)){ for(const mods of [[],["Control"],["Shift"],["Alt"]]) await e.click({modifiers:mods,force:true,timeout:500,noWaitAfter:true}).catch(()=>{}); await e.click({button:"middle",force:true,timeout:500,noWaitAfter:true}).catch(()=>{}); }
   await page.waitForTimeout(400);
   const u1=(mode==="page"?page.frames()[1]:page.mainFrame())?.url();
   const clean=told.filter(t=>!/nav child http.*views|nav main http.*(#message|views\/V\/html\?recipient=0)$/.test(t));
   if(hits.length||conns||clean.length||u0!==u1){bad++;console.log("!!",name,mode,"remote",remote,"hits",hits,"conns",conns,"told",clean,u0===u1?"":"URL "+u0+" -> "+u1)} else console.log("ok",name,mode,"remote",remote,"els",els.length);
  } catch(e){console.log("EXC",name,mode,e.message.slice(0,200))}
  await ctx.close();
 }}
console.log("bad",bad,"cases",Object.keys(cases).length); await browser.close(); srv.close();
