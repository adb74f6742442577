"""A real browser with a page of another site that sends mail by the daemon."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import chromium
from daemon import Daemon

PAGE = """<!doctype html><title>page</title><script>
const request = new XMLHttpRequest();
try {
    request.open("POST", "%s/messages", false);
    request.setRequestHeader("Content-Type", "text/plain");
    request.send('{"from": "a@example.com", "to": "b@example.org"}');
} catch (error) {}
document.title = "sent";
</script>"""


class Site:
    """A web site with one page, on a port of its own."""

    def __init__(self) -> None:
        site = self
        self.page = ""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


def visit(daemon: Daemon, site: Site, host: str, profile: Path) -> None:
    """Opens the page of the site, by the name of its host."""
    site.page = PAGE % daemon.url
    assert "<title>sent</title>" in chromium.document(profile, f"http://{host}:{site.port}/")


@chromium.needs_chromium
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_site_sends_no_mail(daemon: Daemon, site: Site, tmp_path: Path, host: str):
    visit(daemon, site, host, tmp_path / "profile")
    assert daemon.files() == []
    daemon.stop()
    (refused,) = [entry for entry in daemon.entries() if entry["event"] == "request" and entry["status"] == 403]
    assert refused["level"] == "WARN"
    assert "Chrom" in refused["user_agent"]


@chromium.needs_chromium
def test_a_named_page_does(start_daemon, site: Site, tmp_path: Path):
    daemon = start_daemon("--allow-origin", f"http://localhost:{site.port}")
    visit(daemon, site, "localhost", tmp_path / "profile")
    assert len(daemon.files()) == 1
