use super::images::LEAST_ROOM;
use super::*;

/// A mail with an image, `cid:a@b`, and a text, `cid:t`.
fn mail() -> Mail {
    let mail = b"Content-Type: multipart/related; boundary=x\r\n\r\n\
        --x\r\nContent-Type: text/html\r\n\r\n<p>\r\n\
        --x\r\nContent-Type: image/png\r\nContent-ID: <a@b>\r\n\r\nPNG\r\n\
        --x\r\nContent-Type: text/html\r\nContent-ID: <t>\r\n\r\n<p>\r\n--x--\r\n";
    Mail::read(mail).unwrap()
}

fn rewritten(html: &str) -> (String, usize) {
    let Rewritten { html, remote } = rewrite(html, &mail(), Options::default());
    (html, remote)
}

#[test]
fn statements_without_effect_stay() {
    for html in [
        "<!DOCTYPE html><html lang=\"de\"><head><title>&lt;a&gt; &amp; b</title></head><body>Grüße</body></html>",
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\"><p>",
        "<table><tr><td bgcolor=\"#fff\" style=\"color: red\">&quot;x&quot;</td></tr></table><br/>",
        "<style media=\"(width < 600px)\">p > a { content: '<'; width: calc(1px) }</style>",
        "<meta content=\"width=device-width\" name=\"viewport\"><p hidden=\"\">",
        "<svg viewBox=\"0 0 1 1\"><title/><path d=\"M0 0\"/></svg><textarea>a&lt;/b</textarea>",
        "<img alt=\"\" src=\"data:image/png;base64,AAAA\">",
        "",
    ] {
        let expected = html.replace("media=\"(width <", "media=\"(width &lt;");
        let expected = expected.replace("viewBox", "viewbox");
        assert_eq!(rewritten(html), (expected, 0));
    }
}

#[test]
fn elements_that_would_escape_the_frame_are_removed() {
    for (html, expected) in [
        ("<meta http-equiv=refresh content='0;url=//x'>a", "a"),
        ("<META HTTP-EQUIV=Refresh NAME=viewport content=0>a", "a"),
        ("<base href=//x target=_top>a", "a"),
        ("<script>alert('</p>')</script>a", "a"),
        ("<link rel=preconnect href=//x>a", "a"),
        (
            "<iframe src=//x><meta></iframe><object><p>a</object>",
            "<p>a</object>",
        ),
        ("<p onclick=x onerror='y' autofocus accesskey=a>", "<p>"),
        (
            "<form action=//x target=_top><button formaction=//y>",
            "<form><button>",
        ),
        (
            "<a href=\"https://x/?a=1&amp;b\" target=_top ping=//y>a</a>",
            "<a href=\"https://x/?a=1&amp;b\" target=\"_blank\">a</a>",
        ),
        (
            "<svg><a href=//x><set attributeName=target to=_self /><animate attributename=' XLink:href' to=//y /></a>",
            "<svg><a href=\"//x\" target=\"_blank\"></a>",
        ),
        (
            "<svg><set attributename=fill to=red /><use href=#a /><pattern xlink:href=//x>",
            "<svg><set attributename=\"fill\" to=\"red\"/><use href=\"#a\"/><pattern>",
        ),
        (
            "<math href=//x><mi xlink:href=//x>a</mi><a href=//x>b",
            "<math><mi>a</mi><a href=\"//x\" target=\"_blank\">b",
        ),
        ("<img attributionsrc=//x alt>", "<img alt=\"\">"),
        ("<!-- <meta> --><![if !mso]>a<![endif]><?php ?>", "a"),
        ("<plaintext><meta>", "<pre>&lt;meta&gt;</pre>"),
        (
            "<svg><style><meta></style>",
            "<svg><style>\\3c meta></style>",
        ),
        ("<style><!-- a{} --></style>", "<style> a{} --></style>"),
        (
            "<noscript><b>a</b></noscript>",
            "<noscript><b>a</b></noscript>",
        ),
        ("<p \"=x <=y>a", "<p>a"),
        ("a<b", "a"),
    ] {
        assert_eq!(rewritten(html).0, expected, "{html}");
    }
}

#[test]
fn images_of_the_mail_are_in_their_places() {
    const IMAGE: &str = "data:image/png;base64,UE5H";
    for html in [
        "<img src=\"cid:a@b\">",
        "<img src=\" CID:a%40b \">",
        "<td background=\"cid:a@b\">",
        "<td style=\"background: url(&quot;cid:a@b&quot;)\">",
        "<style>td{background:url(\"cid:a@b\")}</style>",
    ] {
        let shown = rewritten(html).0;
        assert!(shown.contains(IMAGE) && !shown.contains("cid"), "{shown}");
    }
    for html in [
        "<img src=\"cid:b\">",
        "<img src=\"cid:t\">",
        "<img src=\"a@b\">",
    ] {
        assert_eq!(rewritten(html), (html.to_owned(), 0));
    }
}

#[test]
fn an_image_is_not_written_without_end() {
    // In base64 it takes a quarter of the room.
    let image = "A".repeat(LEAST_ROOM / 4 / 4 * 3 - 64);
    let mail = format!("Content-Type: image/png\r\nContent-ID: <a>\r\n\r\n{image}");
    let mail = Mail::read(mail.as_bytes()).unwrap();
    let html = "<img src=cid:a>".repeat(9);
    let shown = rewrite(&html, &mail, Options::default()).html;
    assert_eq!(shown.matches("data:").count(), 4);
    assert_eq!(shown.matches("<img").count(), 9);

    let kind = "x".repeat(LEAST_ROOM / 64);
    let mail = format!("Content-Type: image/{kind}\r\nContent-ID: <a>\r\n\r\nA");
    let mail = Mail::read(mail.as_bytes()).unwrap();
    let html = "<img src=cid:a>".repeat(1_000);
    let shown = rewrite(&html, &mail, Options::default()).html;
    assert!(shown.contains("data:image/xxx"));
    assert!(shown.len() < LEAST_ROOM + 20 * 1_000, "{}", shown.len());
}

/// Each document type used to search all of the text before it.
#[test]
fn very_many_document_types_take_no_time() {
    let html = ["a", &" ".repeat(400_000), &"<!doctype>".repeat(40_000)].concat();
    assert_eq!(rewritten(&html).0.trim_end(), "a");
}

#[test]
fn references_to_other_hosts_are_counted() {
    for (html, remote) in [
        ("<img src=http://x/>", 1),
        (
            "<img src=' ht\ntps://x/'><img src=//x/><img src='\\\\x'>",
            3,
        ),
        (
            "<img srcset='http://x/a 1x, https://x/b 2x' src=cid:a@b>",
            2,
        ),
        ("<p style='background: url(http://x/)'>", 1),
        (
            "<style>@import '//x/a.css'; a{b:url(https://x/)}</style>",
            2,
        ),
        ("<link rel=stylesheet href=http://x/>", 1),
        (
            "<svg><image href=http://x/ /><image xlink:href=http://x/ /></svg>",
            2,
        ),
        (
            "<iframe src=http://x/></iframe><object data=http://x/></object>",
            2,
        ),
        ("<video poster=http://x/a src=http://x/b>", 2),
        ("<a href=http://x/>", 0),
        ("<img src=x><img src=data:,http://x><p title=http://x/>", 0),
    ] {
        assert_eq!(rewritten(html).1, remote, "{html}");
        let options = Options {
            remote: true,
            ..Options::default()
        };
        assert_eq!(rewrite(html, &mail(), options).remote, remote, "{html}");
    }
}

#[test]
fn a_color_scheme_and_remote_content_are_available_on_request() {
    let options = Options {
        remote: true,
        scheme: Some(Scheme::Dark),
    };
    let html = "<!doctype html><link rel=stylesheet href=https://x/><img srcset=https://x/>";
    assert_eq!(
        rewrite(html, &mail(), options).html,
        "<!DOCTYPE html><meta name=\"color-scheme\" content=\"dark\">\
         <link href=\"https://x/\" rel=\"stylesheet\"><img srcset=\"https://x/\">"
    );
}

/// Whatever these pieces form, a browser reads no tag other than those that were written.
#[test]
fn nothing_makes_a_tag_of_text() {
    const PIECES: [&str; 24] = [
        "<svg>",
        "</svg>",
        "<math>",
        "<style>",
        "</style>",
        "<title>",
        "</title>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<textarea>",
        "</textarea>",
        "<xmp>",
        "</xmp>",
        "<p a='",
        "'>",
        "<meta http-equiv=refresh content=0>",
        "<base href=x>",
        "&lt;meta&gt;",
        "<style/>",
        "<noscript>",
    ];
    let mail = mail();
    let mut state: u64 = 1;
    for _ in 0..5_000 {
        let mut html = String::new();
        for _ in 0..8 {
            // Knuth's MMIX generator: a test needs no better numbers.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            html.push_str(PIECES[(state >> 33) as usize % PIECES.len()]);
        }
        let shown = rewrite(&html, &mail, Options::default()).html;
        for tag in ["<meta", "<base", "<script", "<!--", "<![", "<xmp"] {
            assert!(!shown.contains(tag), "{html}\n{shown}");
        }
    }
}
