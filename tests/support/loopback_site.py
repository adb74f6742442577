"""A host on loopback that tells who came to it: each request's path, and each connection."""

import base64
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

GIF = base64.b64decode("R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==")
WAIT = b"<!doctype html><meta http-equiv='refresh' content='0.3; url=/waited'>"


class Site:
    """Whatever is asked for is a picture, but for `/wait`, a page that leads to `/waited` a little later."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.connections = 0
        self.news = threading.Condition()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self) -> None:
                with site.news:
                    site.paths.append(self.path)
                    site.news.notify_all()
                kind, body = ("text/html", WAIT) if self.path == "/wait" else ("image/gif", GIF)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_HEAD = do_OPTIONS = answer

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def verify_request(self, *_: object) -> bool:
                site.connections += 1
                return True

        self.server = Server(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def wait_for(self, path: str) -> None:
        """Waits until this was asked for."""
        with self.news:
            assert self.news.wait_for(lambda: path in self.paths, 30), self.paths


@contextmanager
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever)
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        thread.join()
        site.server.server_close()
