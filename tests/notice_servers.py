"""Real servers that take notices, or fail to."""

import contextlib
import http.server
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from typing import Any


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        self.server.answer(self)

    def log_message(self, *_: Any) -> None:
        pass


class HttpServer(http.server.ThreadingHTTPServer):
    """Answers with some statuses in turn, the last one for ever; `requests` are path, headers and body."""

    daemon_threads = True

    def __init__(self, *statuses: int, seconds: float = 0.0, headers: dict[str, str] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses = list(statuses)
        self.seconds = seconds
        self.headers = headers or {}
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, handler: _Handler) -> None:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        time.sleep(self.seconds)
        if status == 0:  # it dies
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        with contextlib.suppress(OSError):
            handler.send_response(status)
            for key, value in self.headers.items():
                handler.send_header(key, value)
            handler.end_headers()

    def handle_error(self, *_: Any) -> None:
        pass


class _Session(socketserver.StreamRequestHandler):
    server: "SmtpServer"

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.server.sessions += 1
        with contextlib.suppress(OSError):
            self.say(self.server.greeting)
            while line := self.rfile.readline().decode().strip():
                self.server.said.append(line)
                if not self.obey(line.split()[0].upper()):
                    return

    def obey(self, verb: str) -> bool:
        match self.server.replies.get(verb, verb):
            case "die":
                return False
            case "drip":
                while True:
                    self.wfile.write(b"2")
                    time.sleep(0.05)
            case "EHLO":
                self.say("250-here")
                self.say("250 AUTH PLAIN")
            case "DATA":
                self.take_mail()
            case "AUTH":
                self.say("235 ok")
            case "QUIT":
                self.say("221 bye")
            case reply:
                self.say("250 ok" if reply == verb else reply)
        return verb != "QUIT"

    def take_mail(self) -> None:
        self.say("354 go on")
        text = b""
        while (part := self.rfile.readline()) not in (b".\r\n", b""):
            text += part
        self.server.mails.append(text)
        self.say("250 taken")


class SmtpServer(socketserver.ThreadingTCPServer):
    """Takes mails; `replies` are other replies to some verbs: a line, `die` or `drip`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, greeting: str = "220 here", **replies: str) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.greeting = greeting
        self.replies = replies
        self.mails: list[bytes] = []
        self.said: list[str] = []
        self.sessions = 0
        self.url = f"smtp://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def serving(server: Any) -> Iterator[Any]:
    """Have a server serve, in a thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
