"""Sinks tell people, and are no concern of the job's whatever happens to them (T9)."""

import asyncio
import email
import email.policy
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time

import httpx  # noqa: F401 - it takes a while the first time, and some of these tests are about time
import pytest
from notice_servers import HttpServer, SmtpServer, serving
from support import eventually

from outrider.config import Settings
from outrider.config.errors import SettingsError
from outrider.worker.sinks import Notice, Patience, Sinks, configured_sinks

pytestmark = pytest.mark.alone

SECRET = "T0P-S3CRET"
#: Three tries, without the waiting.
HASTE = Patience(timeout=0.5, pauses=(0.01, 0.01))


def notice(**changes):
    facts = {"job_id": "j1", "task": "integrate", "state": "succeeded", "title": "Peaks of LaB6", "text": "all is well"}
    return Notice(**facts | {"summary": {"peaks": 3}} | changes)


def settings(tmp_path, **changes):
    return Settings(project=tmp_path, **changes)


def sinks_of(tmp_path, patience=HASTE, **changes):
    return Sinks(configured_sinks(settings(tmp_path, **changes)), patience)


def mail_settings(server, **changes):
    return {"smtp_url": server.url, "mail_from": "worker@here", "mail_to": "a@b, c@d"} | changes


def delivered(sinks, *notices, seconds=20.0):
    """Post notices and wait until all is done; return how long the posting took."""

    async def main():
        begun = time.monotonic()
        for one in notices or (notice(),):
            sinks.post(one)
        taken = time.monotonic() - begun
        await sinks.close(seconds)
        return taken

    return asyncio.run(main())


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in os.environ:
        if name.startswith("OUTRIDER_"):
            monkeypatch.delenv(name)


# --- settings


def test_t9_without_settings_there_are_no_sinks(tmp_path):
    sinks = sinks_of(tmp_path)
    assert not sinks
    delivered(sinks)
    assert list(tmp_path.iterdir()) == []


def test_sinks_are_configured_by_the_environment(tmp_path, monkeypatch):
    values = {"WEBHOOK_URL": "https://log/x", "SMTP_URL": "smtps://m", "MAIL_FROM": "a@b", "MAIL_TO": "c@d, e@f"}
    for name, value in {**values, "NOTICE_FILE": "~/notices"}.items():
        monkeypatch.setenv(f"OUTRIDER_{name}", value)
    names = [sink.name for sink in configured_sinks(Settings(project=tmp_path))]
    assert names == ["the webhook at log", "the mail server m:465", f"the file {os.path.expanduser('~/notices')}"]
    assert Settings(project=tmp_path).mail_to == ("c@d", "e@f")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"webhook_url": f"ftp://host/{SECRET}"}, "OUTRIDER_WEBHOOK_URL: give https://"),
        ({"webhook_url": f"http://[{SECRET}"}, "OUTRIDER_WEBHOOK_URL: give https://"),
        (
            {"smtp_url": f"http://me:{SECRET}@m", "mail_from": "a@b", "mail_to": "c@d"},
            "OUTRIDER_SMTP_URL: give smtp://",
        ),
        ({"smtp_url": f"smtp://m:{SECRET}", "mail_from": "a@b", "mail_to": "c@d"}, "OUTRIDER_SMTP_URL: give smtp://"),
        ({"smtp_url": f"smtp://me:{SECRET}@m", "mail_from": "a@b"}, "needs OUTRIDER_MAIL_FROM and OUTRIDER_MAIL_TO"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_and_not_repeated(tmp_path, changes, message):
    with pytest.raises(SettingsError, match=message) as refusal:
        configured_sinks(settings(tmp_path, **changes))
    assert SECRET not in str(refusal.value)


def test_settings_do_not_show_the_secrets(tmp_path):
    shown = repr(settings(tmp_path, webhook_url=f"https://host/{SECRET}", smtp_url=f"smtp://me:{SECRET}@m"))
    assert SECRET not in shown


# --- the notice


def test_a_notice_is_cut_to_its_bounds(tmp_path):
    large = notice(
        title="one\r\nBcc: all@world " + "x" * 500,
        text="y" * 100_000,
        summary={str(number): "z" * 1000 for number in range(200)},
        attachments=[tmp_path / str(number) for number in range(50)],
    )
    assert len(large.title) == 200
    assert large.title.startswith("one Bcc: all@world xxx")
    assert len(large.text) == 65536
    assert len(large.summary) < 70
    assert large.summary["…"].endswith("more")
    assert len(large.attachments) == 20


# --- the webhook


def test_a_webhook_gets_the_notice_as_json(tmp_path):
    with serving(HttpServer(200)) as server:
        delivered(sinks_of(tmp_path, webhook_url=f"{server.url}/elog?token={SECRET}"), one := notice())
    ((path, headers, body),) = server.requests
    assert path == f"/elog?token={SECRET}"
    assert headers["Content-Type"] == "application/json"
    said = json.loads(body)
    assert said["id"] == one.id
    assert {key: said[key] for key in ("job_id", "task", "state", "title", "text", "summary", "attachments")} == {
        "job_id": "j1",
        "task": "integrate",
        "state": "succeeded",
        "title": "Peaks of LaB6",
        "text": "all is well",
        "summary": {"peaks": 3},
        "attachments": [],
    }


def test_a_webhook_gets_attachments_as_a_form(tmp_path):
    (tmp_path / "plot.png").write_bytes(b"\x89PNG\r\n")
    with (tmp_path / "large.bin").open("wb") as large:
        large.truncate(10 * 2**20 + 1)
    os.mkfifo(tmp_path / "fifo")
    paths = [tmp_path / name for name in ("plot.png", "large.bin", "gone.txt", "fifo")]
    with serving(HttpServer(200)) as server:
        delivered(sinks_of(tmp_path, Patience(), webhook_url=server.url), notice(attachments=paths))
    ((_, headers, body),) = server.requests
    form = email.message_from_bytes(f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
    told, plot = form.get_payload()
    said = json.loads(told.get_payload(decode=True))
    assert told.get_param("name", header="content-disposition") == "notice"
    assert said["attachments"] == ["plot.png"]
    assert said["text"].splitlines() == [
        "all is well",
        "large.bin is not attached: it is larger than 10485760 bytes",
        "gone.txt is not attached: No such file or directory",
        "fifo is not attached: it is no file",
    ]
    assert plot.get_filename() == "plot.png"
    assert plot.get_payload(decode=True) == b"\x89PNG\r\n"


def test_numbers_that_are_none_do_not_spoil_the_json(tmp_path):
    with serving(HttpServer(200)) as server:
        delivered(sinks_of(tmp_path, webhook_url=server.url), notice(summary={"sigma": float("nan")}))
    assert b"NaN" not in server.requests[0][2]
    assert json.loads(server.requests[0][2])["summary"] == {"sigma": None}


@pytest.mark.parametrize(("statuses", "tries"), [((500, 503, 200), 3), ((429, 204), 2), ((0, 200), 2)])
def test_t9_what_may_work_later_is_tried_again(tmp_path, caplog, statuses, tries):
    with serving(HttpServer(*statuses)) as server:
        delivered(sinks_of(tmp_path, webhook_url=server.url))
    assert len(server.requests) == tries
    assert len({body for _, _, body in server.requests}) == 1, "a receiver can tell that it is the same"
    assert "did not take" not in caplog.text


@pytest.mark.parametrize(("status", "tries", "why"), [(500, 3, "it answered 500"), (403, 1, "it answered 403")])
def test_t9_in_the_end_there_is_a_warning(tmp_path, caplog, status, tries, why):
    with serving(HttpServer(status)) as server:
        delivered(sinks_of(tmp_path, webhook_url=f"{server.url}/{SECRET}"))
    assert len(server.requests) == tries
    (warning,) = [record for record in caplog.records if record.name.startswith("outrider")]
    assert warning.levelno == logging.WARNING
    assert warning.getMessage() == f"the webhook at {server.url.removeprefix('http://')} did not take a notice: {why}"
    assert (warning.action, warning.job_id) == ("notice_lost", "j1")


def test_a_redirect_is_not_followed(tmp_path, caplog):
    with serving(HttpServer(200)) as other, serving(HttpServer(307, headers={"Location": other.url})) as server:
        delivered(sinks_of(tmp_path, webhook_url=server.url))
    assert len(server.requests) == 1
    assert other.requests == []
    assert "put the right place into OUTRIDER_WEBHOOK_URL" in caplog.text


def test_no_log_line_holds_a_secret_not_even_of_the_libraries(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    refuses = socket.socket()
    refuses.bind(("127.0.0.1", 0))  # and does not listen
    with refuses, serving(HttpServer(200, 500, seconds=0.01)) as server:
        address = f"127.0.0.1:{refuses.getsockname()[1]}"
        delivered(sinks_of(tmp_path, webhook_url=f"{server.url}/{SECRET}"), notice(), notice())
        delivered(sinks_of(tmp_path, webhook_url=f"http://user:{SECRET}@{address}/{SECRET}?key={SECRET}"))
        delivered(sinks_of(tmp_path, **mail_settings(server, smtp_url=f"smtp://user:{SECRET}@{address}")))
    assert "ConnectError" in caplog.text
    assert "ConnectionRefusedError: Connection refused" in caplog.text
    assert SECRET not in caplog.text


def test_t9_a_slow_server_costs_its_time_out_and_the_job_nothing(tmp_path, caplog):
    with serving(HttpServer(200, seconds=3)) as server:
        begun = time.monotonic()
        posting = delivered(sinks_of(tmp_path, Patience(0.2, (0.01,)), webhook_url=server.url))
        assert 0.4 < time.monotonic() - begun < 2
    assert posting < 0.1
    assert "it took longer than 0.2 s" in caplog.text


# --- mail


def test_mail_has_text_summary_and_attachments(tmp_path):
    (tmp_path / "plot.png").write_bytes(b"\x89PNG")
    with serving(SmtpServer()) as server:
        delivered(sinks_of(tmp_path, **mail_settings(server)), one := notice(attachments=[tmp_path / "plot.png"]))
    mail = email.message_from_bytes(server.mails[0], policy=email.policy.default)
    assert (mail["From"], mail["To"], mail["Subject"]) == ("worker@here", "a@b, c@d", "Peaks of LaB6")
    assert one.id in mail["Message-ID"]
    text, plot = mail.iter_parts()
    assert text.get_content().splitlines() == ["all is well", "", "peaks: 3", "", "integrate, job j1, succeeded"]
    assert (plot.get_filename(), plot.get_content()) == ("plot.png", b"\x89PNG")
    assert "rcpt TO:<a@b>" in server.said
    assert "rcpt TO:<c@d>" in server.said


def test_mail_logs_in_where_nobody_else_can_listen(tmp_path):
    with serving(SmtpServer()) as server:
        url = server.url.replace("//", f"//me%40here:{SECRET}@")
        delivered(sinks_of(tmp_path, **mail_settings(server, smtp_url=url)))
    assert any(line.startswith("AUTH PLAIN") for line in server.said)
    assert len(server.mails) == 1


def test_no_password_is_sent_in_clear_text(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("outrider.worker.sinks.mail.MailServer.is_local", False)  # as if it were elsewhere
    with serving(SmtpServer()) as server:
        url = server.url.replace("//", f"//me:{SECRET}@")
        delivered(sinks_of(tmp_path, **mail_settings(server, smtp_url=url)))
    assert not any(line.startswith("AUTH") for line in server.said)
    assert "it offers no TLS, and the password is not sent in clear text: take smtps://" in caplog.text


@pytest.mark.parametrize(
    ("server", "sessions", "why"),
    [
        (SmtpServer(MAIL="451 later"), 3, "it answered 451 for now"),
        (SmtpServer(MAIL="550 no"), 1, "it answered 550"),
        (SmtpServer(RCPT="450 later"), 3, "it refused all recipients for now"),
        (SmtpServer(RCPT="550 nobody"), 1, "it refused all recipients"),
        (SmtpServer("554 go away"), 1, "it answered 554"),
        (SmtpServer(DATA="die"), 3, "SMTPServerDisconnected"),
        (SmtpServer(MAIL="drip"), 3, "it took longer than 0.5 s"),
    ],
    ids=["later", "no", "nobody for now", "nobody", "go away", "dies", "drips"],
)
def test_t9_a_mail_server_that_fails(tmp_path, caplog, server, sessions, why):
    with serving(server):
        begun = time.monotonic()
        delivered(sinks_of(tmp_path, **mail_settings(server)))
        assert time.monotonic() - begun < 4
    assert server.mails == []
    assert server.sessions == sessions
    assert caplog.messages == [f"the mail server 127.0.0.1:{server.server_address[1]} did not take a notice: {why}"]


@pytest.mark.parametrize("bye", ["die", "drip", "500 never"])
def test_a_mail_that_was_taken_is_not_sent_again_whatever_is_said_afterwards(tmp_path, caplog, bye):
    with serving(SmtpServer(QUIT=bye)) as server:
        delivered(sinks_of(tmp_path, **mail_settings(server)))
    assert len(server.mails) == 1
    assert caplog.messages == []


def test_a_header_cannot_be_smuggled_in(tmp_path):
    with serving(SmtpServer()) as server:
        delivered(sinks_of(tmp_path, **mail_settings(server)), notice(title="x\r\nBcc: all@world"))
    mail = email.message_from_bytes(server.mails[0], policy=email.policy.default)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "x Bcc: all@world"


# --- the file


def test_a_file_gets_one_line_for_each_notice(tmp_path):
    file = tmp_path / "notices.jsonl"
    file.write_text('{"the disk was f')
    delivered(sinks_of(tmp_path, notice_file=file), notice(), notice(state="failed", text="no\nluck"))
    cut, *lines = file.read_text().splitlines()
    assert cut == '{"the disk was f'
    assert [(json.loads(line)["state"], json.loads(line)["text"]) for line in lines] == [
        ("succeeded", "all is well"),
        ("failed", "no\nluck"),
    ]


def test_others_cannot_read_a_file_that_a_sink_has_made(tmp_path):
    delivered(sinks_of(tmp_path, notice_file=tmp_path / "notices"))
    assert (tmp_path / "notices").stat().st_mode & 0o137 == 0


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("missing/notices", "No such file or directory"),
        ("fifo", "it is no file"),
        ("/dev/full", "No space left on device"),
    ],
)
def test_t9_a_file_that_cannot_be_written(tmp_path, caplog, place, why):
    os.mkfifo(tmp_path / "fifo")
    delivered(sinks_of(tmp_path, notice_file=tmp_path / place))
    assert len(caplog.messages) == 1
    assert why in caplog.messages[0]


# --- all together


class Stuck:
    """A sink that takes nothing until it may."""

    name = "the stuck sink"

    def __init__(self):
        self.may = asyncio.Event()
        self.taken = []

    async def deliver(self, one):
        await self.may.wait()
        self.taken.append(one.title)


def test_t9_a_sink_that_is_down_keeps_no_other_waiting(tmp_path):
    file = tmp_path / "notices"
    with serving(HttpServer(200, seconds=5)) as server:
        sinks = sinks_of(tmp_path, Patience(), webhook_url=server.url, notice_file=file)

        async def main():
            sinks.post(notice())
            await asyncio.to_thread(eventually, lambda: file.exists() and file.read_text(), "the file has it", 3)
            await sinks.close(0)

        asyncio.run(main())


def test_t9_what_waits_is_bounded_and_the_oldest_goes(caplog):
    async def main():
        stuck = Stuck()
        sinks = Sinks([stuck], Patience(waiting=3))
        sinks.post(notice(title="first"))
        await asyncio.sleep(0)  # it is on its way now
        for number in range(10):
            sinks.post(notice(title=str(number)))
        assert sinks.dropped == 7
        stuck.may.set()
        await sinks.close()
        return stuck.taken

    assert asyncio.run(main()) == ["first", "7", "8", "9"]
    assert caplog.messages == [f"the stuck sink is too slow: {n} notices dropped so far" for n in (1, 2, 4)]


def test_t9_the_end_of_a_worker_waits_a_bounded_time(caplog):
    async def main():
        sinks = Sinks([Stuck()], Patience())
        for _ in range(3):
            sinks.post(notice())
        begun = time.monotonic()
        await sinks.close(0.1)
        return time.monotonic() - begun

    assert asyncio.run(main()) < 2
    assert caplog.messages == ["3 notices were given up at the end"]


def test_t9_posting_raises_nothing_even_where_nothing_can_be_delivered(caplog):
    Sinks([Stuck()]).post(notice())  # no loop runs
    assert caplog.messages == ["a notice cannot be posted"]


def test_a_thread_that_hangs_stays_one_and_lets_the_process_end(tmp_path):
    code = """
import asyncio, time
from outrider.worker.sinks.lone_thread import LoneThread
from outrider.worker.sinks import SinkError
async def main():
    thread = LoneThread("hangs")
    try:
        async with asyncio.timeout(0.1):
            await thread.run(lambda: time.sleep(60))
    except TimeoutError:
        print("late")
    try:
        await thread.run(print)
    except SinkError as error:
        print(error)
asyncio.run(main())
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
    assert answer.stdout.splitlines() == ["late", "it still hangs in an earlier try"], answer.stderr


def test_sinks_leave_no_thread_behind(tmp_path):
    before = threading.active_count()
    delivered(sinks_of(tmp_path, notice_file=tmp_path / "notices"))
    eventually(lambda: threading.active_count() <= before, "the threads are gone", 5)


def test_importing_the_sinks_does_not_load_httpx():
    code = "import sys, outrider.worker.sinks; print('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
