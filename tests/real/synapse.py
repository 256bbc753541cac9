#!/usr/bin/env python3
"""Runs a real Matrix Synapse, does things through its own API, and holds what essor counts against them.

    python3 tests/real/synapse.py                  both databases, SQLite and PostgreSQL
    python3 tests/real/synapse.py sqlite           one of them
    python3 tests/real/synapse.py --essor target/debug/essor --venv /tmp/synapse-venv

Synapse is installed from PyPI (wheels only) into a throw-away environment, which --venv keeps for the next time.
PostgreSQL must be installed (Debian: apt-get install postgresql); its cluster is made, used over a Unix socket and
thrown away, as a user of its own where this runs as root. Everything listens on the loopback only.

Synapse fills user_daily_visits every five minutes: here its own job runs when it is asked to, by a file. Nothing
else is changed.
"""

import argparse
import datetime
import glob
import hashlib
import hmac
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

SERVER = "hs.example:8448"
SECRET = "registration-shared-secret"
VERSION = "1.163.2"
PASSWORD = "a-password-of-somebody"
TEXT = "what-was-said"

# Starts Synapse with the job of user_daily_visits run when a file is there. (Run every second it would miss visits:
# it looks for those since its last run, and they are written some seconds late.)
LAUNCHER = """
import os
from synapse.util import clock, duration
loop = clock.Clock.looping_call
def when_asked(self, f, interval, *args, **kwargs):
    if getattr(f, "__name__", "") != "generate_user_daily_visits":
        return loop(self, f, interval, *args, **kwargs)
    def job():
        if os.path.exists("visits-now"):
            os.remove("visits-now")
            return f(*args, **kwargs)
    return loop(self, job, duration.Duration(seconds=1))
clock.Clock.looping_call = when_asked
from synapse.app.homeserver import main
main()
"""


def run(command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, **kwargs)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def environment(folder):
    """The Python of an environment with Synapse in it."""
    python = folder / "bin/python"
    if not python.exists():
        run([sys.executable, "-m", "venv", folder])
    probe = subprocess.run([python, "-c", "import synapse, psycopg2"], capture_output=True)
    if probe.returncode != 0:
        print("installing matrix-synapse from PyPI ...", flush=True)
        run([python, "-m", "pip", "install", "-q", "--only-binary", ":all:",
             f"matrix-synapse=={VERSION}", "psycopg2-binary"])
    return python


class Postgres:
    """A throw-away cluster that listens on a Unix socket."""

    def __init__(self, folder):
        self.folder = folder
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin")) + [os.path.dirname(shutil.which("initdb") or "")]
        if not found[0]:
            sys.exit("PostgreSQL is not installed (initdb is not found)")
        self.bin = pathlib.Path(found[0])
        self.as_user = {}
        self.user = pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            # PostgreSQL refuses to run as root.
            nobody = pwd.getpwnam("postgres")
            self.as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            self.user = "postgres"
            shutil.chown(folder, "postgres")
        data = folder / "data"
        run([self.bin / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--locale=C", "-U", "essor"],
            cwd=folder, **self.as_user)
        run([self.bin / "pg_ctl", "-D", data, "-w", "-l", folder / "log",
             "-o", f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off", "start"],
            cwd=folder, **self.as_user)
        run([self.bin / "createdb", "-h", folder, "-U", "essor", "synapse"])
        self.url = f"postgres://essor@{urllib.parse.quote(str(folder), safe='')}/synapse"

    def stop(self):
        run([self.bin / "pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop"], cwd=self.folder, **self.as_user)


class Synapse:
    """A homeserver on the loopback."""

    def __init__(self, python, folder, database):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        (folder / "log.yaml").write_text(
            "version: 1\nhandlers: {file: {class: logging.FileHandler, filename: %s}}\n"
            "root: {level: INFO, handlers: [file]}\n" % (folder / "homeserver.log"))
        (folder / "homeserver.yaml").write_text(json.dumps({
            "server_name": SERVER,
            "pid_file": str(folder / "pid"),
            "listeners": [{"port": self.port, "type": "http", "bind_addresses": ["127.0.0.1"],
                           "resources": [{"names": ["client"]}]}],
            "database": database,
            "log_config": str(folder / "log.yaml"),
            "media_store_path": str(folder / "media"),
            "signing_key_path": str(folder / "signing.key"),
            "registration_shared_secret": SECRET,
            "report_stats": False,
            "trusted_key_servers": [],
            "allow_guest_access": True,
            "rc_message": {"per_second": 1000, "burst_count": 1000},
            "rc_login": {kind: {"per_second": 1000, "burst_count": 1000}
                         for kind in ("address", "account", "failed_attempts")},
            "rc_registration": {"per_second": 1000, "burst_count": 1000},
        }))
        config = ["-c", folder / "homeserver.yaml"]
        run([python, "-m", "synapse.app.homeserver", *config, "--generate-keys"], cwd=folder)
        self.process = subprocess.Popen([python, "-c", LAUNCHER, *config], cwd=folder,
                                        stdout=subprocess.DEVNULL, stderr=open(folder / "stderr", "w"))
        for _ in range(300):
            try:
                return self.call("GET", "/_matrix/client/versions") and None
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None:
                    sys.exit((folder / "stderr").read_text())
                time.sleep(0.2)
        sys.exit("Synapse does not answer")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def call(self, method, path, body=None, token=None, agent="Mozilla/5.0 (X11) Gecko/20100101"):
        request = urllib.request.Request(self.base + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        request.add_header("User-Agent", agent)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def register(self, name, user_type=None):
        nonce = self.call("GET", "/_synapse/admin/v1/register")["nonce"]
        parts = [nonce, name, PASSWORD, "notadmin"] + ([user_type] if user_type else [])
        mac = hmac.new(SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": name, "password": PASSWORD, "admin": False, "mac": mac}
        if user_type:
            body["user_type"] = user_type
        return self.call("POST", "/_synapse/admin/v1/register", body)["access_token"]

    def log_in(self, name, agent):
        body = {"type": "m.login.password", "password": PASSWORD,
                "identifier": {"type": "m.id.user", "user": name}}
        return self.call("POST", "/_matrix/client/v3/login", body, agent=agent)["access_token"]

    def send(self, token, room, kind, body, agent):
        self.sent = getattr(self, "sent", 0) + 1
        path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/send/{kind}/{self.sent}"
        return self.call("PUT", path, body, token, agent)


ELEMENT = "Element/1.6.0 (Pixel 7; Android 13; MatrixAndroidSdk2 1.6.0)"
WEB = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"


def use(server):
    """Does things, and says what was done and which secrets came of it."""
    tokens = [server.register(f"user{n}") for n in range(12)]
    bot = server.register("robot", "bot")
    guest = server.call("POST", "/_matrix/client/v3/register?kind=guest", {})["access_token"]
    second = server.log_in("user0", ELEMENT)
    active = 9
    room = server.call("POST", "/_matrix/client/v3/createRoom", {"preset": "public_chat"}, tokens[0], WEB)["room_id"]
    messages = 0
    for n, token in enumerate(tokens[:active]):
        if n:
            server.call("POST", f"/_matrix/client/v3/join/{urllib.parse.quote(room)}", {}, token, WEB)
        for k in range(n + 1):
            encrypted = k % 3 == 0
            body = ({"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": TEXT, "session_id": "s"} if encrypted
                    else {"msgtype": "m.text", "body": TEXT})
            server.send(token, room, "m.room.encrypted" if encrypted else "m.room.message", body, WEB)
            messages += 1
    # None of these is a message.
    server.send(tokens[0], room, "m.reaction", {"m.relates_to": {}}, WEB)
    server.call("PUT", f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/state/m.room.topic",
                {"topic": TEXT}, tokens[0], WEB)
    server.call("GET", "/_matrix/client/v3/sync?timeout=0", token=second, agent=ELEMENT)
    server.call("GET", "/_matrix/client/v3/account/whoami", token=bot)
    server.call("GET", "/_matrix/client/v3/account/whoami", token=guest)
    # An account that is deactivated has signed up all the same.
    server.call("POST", "/_matrix/client/v3/account/deactivate",
                {"auth": {"type": "m.login.password", "password": PASSWORD,
                          "identifier": {"type": "m.id.user", "user": "user11"}}}, tokens[11], WEB)
    return {"messages": messages, "tokens": [*tokens, bot, guest, second]}


def visits(folder, ask):
    """Has Synapse write down who was there, and gives how many it counts."""
    # Who was there is written in batches, some five seconds late.
    time.sleep(8)
    (folder / "visits-now").touch()
    while (folder / "visits-now").exists():
        time.sleep(0.2)
    time.sleep(2)
    return ask("SELECT COUNT(DISTINCT user_id) FROM user_daily_visits WHERE user_id NOT LIKE '@robot:%'")


def essor(binary, project, *words, accept=(0,)):
    environment = {**os.environ, "ESSOR_KEY": "00112233445566778899aabbccddeeff" * 2, "NO_COLOR": "1"}
    done = subprocess.run([binary, *words], cwd=project, env=environment, capture_output=True, text=True)
    if done.returncode not in accept:
        sys.exit(f"essor {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done


def question(binary, project, sql):
    return essor(binary, project, "query", "--sql", sql, "--format", "csv").stdout.splitlines()[1:]


def check(what, found, expected):
    print(f"  {'ok  ' if found == expected else 'FAIL'} {what}: {found}" + ("" if found == expected else f", expected {expected}"))
    return found == expected


def secrets_in(project, secrets):
    found = set()
    for path in (project / ".essor").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found |= {secret for secret in secrets if secret.encode() in data}
    return sorted(found)


def try_one(kind, python, binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="essor-synapse-"))
    os.chmod(folder, 0o755)
    postgres = server = None
    started = datetime.datetime.now(datetime.timezone.utc).date()
    try:
        if kind == "postgres":
            (folder / "pg").mkdir()
            postgres = Postgres(folder / "pg")
            database = {"name": "psycopg2", "args": {"user": "essor", "host": str(folder / "pg"), "dbname": "synapse"}}
            word = postgres.url
            def ask(sql):
                return int(run([postgres.bin / "psql", "-h", folder / "pg", "-U", "essor", "-At", "synapse", "-c", sql]).stdout)
        else:
            database = {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}}
            word = str(folder / "homeserver.db")
            def ask(sql):
                import sqlite3
                with sqlite3.connect(f"file:{word}?mode=ro", uri=True, timeout=30) as connection:
                    return connection.execute(sql).fetchone()[0]
        server = Synapse(python, folder, database)
        done = use(server)
        counted = visits(folder, ask)
        project = folder / "project"
        project.mkdir()
        (project / "essor.toml").write_text("[project]\nnetwork = \"Matrix\"\ndimensions = [\"client\"]\n")
        # While Synapse is running.
        said = essor(binary, project, "ingest", word)
        print(f"{kind}, Synapse {VERSION}, essor ingest {word.replace(str(folder), '...')}\n  " +
              "\n  ".join((said.stderr + said.stdout).strip().splitlines()))
        # The nine that wrote, and the one that left; Synapse itself leaves guests out.
        good = check("visitors by Synapse's own table, less the bot", counted, 10)
        good &= compare(binary, project, done, counted)
        server.send(done["tokens"][9], make_room(server, done), "m.room.message", {"msgtype": "m.text", "body": TEXT}, WEB)
        done["messages"] += 1
        visits(folder, ask)
        essor(binary, project, "ingest", word)
        print("  after another message of somebody else, and another ingest:")
        good &= compare(binary, project, done, counted + 1)
        again = essor(binary, project, "ingest", word).stdout
        good &= check("ingested once more, files known", "0 files loaded, 1 already known" in again, True)
        hashes = "$2b$"
        good &= check("secrets in .essor", secrets_in(project, [*done["tokens"], hashes, TEXT, PASSWORD, "@user0", "user10", "Gecko", "127.0.0.1", "ciphertext"]), [])
        if datetime.datetime.now(datetime.timezone.utc).date() != started:
            print("  (the day changed meanwhile: run it again)")
        return good
    finally:
        if server:
            server.stop()
        if postgres:
            postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def make_room(server, done):
    return server.call("POST", "/_matrix/client/v3/createRoom", {}, done["tokens"][9], WEB)["room_id"]


def compare(binary, project, done, counted):
    ours = lambda sql: question(binary, project, sql)
    count = "SELECT CAST(sum(bitmap_count(users)) AS BIGINT) FROM activity WHERE event = '{}' AND dimension = '{}' {}"
    good = check("daily active users", ours(count.format("active", "", "")), [str(counted)])
    good &= check("signups", ours(count.format("signup", "", "")), ["12"])
    good &= check("active with Element on Android", ours(count.format("active", "client", "AND dimension_value = 'android'")), ["1"])
    good &= check("messages", ours("SELECT metric, value FROM usage ORDER BY metric"),
                  [f"messages_seen,{done['messages']}", f"messages_sent,{done['messages']}"])
    good &= check("server", ours("SELECT DISTINCT server FROM usage"), [SERVER])
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="sqlite|postgres", default=["sqlite", "postgres"])
    parser.add_argument("--essor", default="target/debug/essor")
    parser.add_argument("--venv", help="an environment that is kept")
    args = parser.parse_args()
    binary = pathlib.Path(args.essor).resolve()
    if not binary.exists():
        sys.exit(f"{binary} is not there: cargo build")
    # Ended from outside, what was started is stopped all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with tempfile.TemporaryDirectory(prefix="essor-venv-") as temporary:
        python = environment(pathlib.Path(args.venv or temporary).resolve())
        results = [try_one(kind, python, binary) for kind in args.kinds]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
