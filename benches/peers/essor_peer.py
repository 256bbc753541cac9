"""essor's side: a fresh project, `essor ingest`, then every question as a process of its own."""
import os, pathlib, shutil, subprocess

os.environ.setdefault("ESSOR_KEY", "5a" * 32)  # of a project that is thrown away
from questions import POWER, ROLLING, from_csv

PROJECT = """
[project]
platform = "Bench"

[[source]]
path = "data/activity/*.parquet"
platform = "Bench"
ignore = ["country", "client"]
"""
# What is asked of essor, and which columns of its CSV (names, or functions of the row) are the answer's:
# see QUESTIONS in questions.py for the answers' own columns.
QUERIES = {
    # question: (words after `essor query`, columns in the answer's order)
    "dau": (["active_users", "--window", "1"], ("day", "users")),
    "mau": (["active_users_calendar", "--by", "month"], ("period", "users")),
    "growth": (["growth_accounting", "--by", "month"], ("period", "active", "new", "retained", "resurrected", "churned")),
    "l28": (["power_users", "--window", str(POWER)], ("days", "users")),
    "retention": (["weekly_triangle"], ("cohort", "week", "users")),
    "rolling": (["active_users", "--window", str(ROLLING)], ("day", "users")),
}


class Essor:
    """Runs one command at a time by `measure`, which gives its seconds, peak bytes and output."""

    def __init__(self, binary, folder, threads, measure):
        self.binary, self.project, self.threads, self.measure = str(pathlib.Path(binary).resolve()), pathlib.Path(folder), str(threads), measure

    def version(self):
        return subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]

    def start(self, files):
        """A new project whose data/activity holds the files."""
        shutil.rmtree(self.project, ignore_errors=True)
        (self.project / "data" / "activity").mkdir(parents=True)
        (self.project / "essor.toml").write_text(PROJECT)
        (self.project / "queries").mkdir()
        shutil.copy(pathlib.Path(__file__).with_name("weekly_triangle.sql"), self.project / "queries")
        for file in files:
            self.receive(file)

    def receive(self, file):
        target = self.project / "data" / "activity" / file.name
        try:
            os.link(file, target)
        except OSError:
            shutil.copy(file, target)

    def run(self, *words):
        return self.measure([self.binary, "--threads", self.threads, *words], cwd=self.project)

    def ingest(self, files):
        return self.run("ingest", *(f"data/activity/{file.name}" for file in files))

    def ask(self, question):
        """What `measure` gives, and the answer's rows."""
        words, columns = QUERIES[question]
        measured = self.run("query", *words, "--format", "csv")
        return measured, from_csv(measured.output, columns)

    def size(self):
        return sum(file.stat().st_size for file in (self.project / ".essor").rglob("*") if file.is_file())
