"""What the benchmarks share: the product and the reference as they run on one core, and the load on another."""

import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
RELEASE = f"{ROOT}/.build/release"
SERVER_CORE, LOAD_CORE = "0", "1"
FEATURES = 30
TICK = 1_000_000 / os.sysconf("SC_CLK_TCK")


def build():
    """Builds the product and the responder."""
    subprocess.run(["swift", "build", "-c", "release"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    os.makedirs(f"{HERE}/.build", exist_ok=True)
    subprocess.run(
        ["cc", "-O2", "-o", f"{HERE}/.build/responder", f"{HERE}/responder.c", "-luv"], check=True)


def strip():
    """Copies the product without debug information, which valgrind cannot read; returns the folder."""
    folder = f"{HERE}/.build/stripped"
    os.makedirs(folder, exist_ok=True)
    for name in ("roost", "roost-instance", "liblinear.so", "libtrees.so"):
        subprocess.run(["objcopy", "--strip-debug", f"{RELEASE}/{name}", f"{folder}/{name}"], check=True)
    return folder


def linear():
    """A logistic regression on 30 standardised features, as (file name, bytes)."""
    draw = random.Random(7)
    model = {
        "format": "roost-linear", "version": 1, "model": "logistic",
        "mean": [round(draw.uniform(0, 100), 3) for _ in range(FEATURES)],
        "scale": [round(draw.uniform(1, 40), 3) for _ in range(FEATURES)],
        "coefficients": [[round(draw.gauss(0, 1), 4) for _ in range(FEATURES)]], "intercepts": [0.25],
    }
    return "linear.json", json.dumps(model).encode()


def cancer():
    """The reference model: 200 trees, 30 features."""
    with open(f"{ROOT}/functions/cancer/cancer.ubj", "rb") as file:
        return "cancer.ubj", file.read()


def rows_body(rows, tensors):
    """Rows of the breast-cancer data without gaps, as a v2 request or as plain rows."""
    with open(f"{ROOT}/functions/cancer/examples.jsonl") as file:
        known = [row for line in file for row in json.loads(line)["inputs"] if None not in row]
    chosen = [known[index % len(known)] for index in range(rows)]
    if not tensors:
        return json.dumps(chosen).encode()
    data = [value for row in chosen for value in row]
    tensor = {"name": "features", "shape": [rows, FEATURES], "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [tensor]}).encode()


def save_reply(port, path, body_file, header=()):
    """The product's whole reply to a body, byte for byte, as the responder will give it."""
    with open(body_file, "rb") as file:
        body = file.read()
    extra = f"{header[0]}: {header[1]}\r\n" if header else ""
    head = (f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{extra}\r\n")
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head.encode() + body)
        reply = b""
        while True:
            reply += connection.recv(65536)
            head, _, rest = reply.partition(b"\r\n\r\n")
            fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            if b"Content-Length" in fields and len(rest) == int(fields[b"Content-Length"]):
                break
    assert reply.startswith(b"HTTP/1.1 200 "), reply
    return reply


def processes_below(root):
    """The process and all that descend from it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                pass  # it has gone meanwhile
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def cpu_ticks(processes):
    total = 0
    for process in processes:
        with open(f"/proc/{process}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total


def unhurried(command):
    """The command of a client that measures: where that is allowed, one that never waits for a processor itself, as if
    it ran on another machine. What it then sees late was late."""
    probe = subprocess.run(["chrt", "-f", "10", "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return ["chrt", "-f", "10", *command] if probe.returncode == 0 else list(command)


class Pauses:
    """How late this machine wakes a process that nothing of ours can delay: what stands in a tail beside that is ours."""

    def __enter__(self):
        script = ("import signal, sys, time\nlate = []\n"
                  "def end(*_):\n    late.sort()\n    print(late[int(len(late) * .99)] * 1e3)\n    sys.exit()\n"
                  "signal.signal(signal.SIGTERM, end)\nprint('ready', flush=True)\n"
                  "while True:\n    begun = time.perf_counter()\n    time.sleep(.01)\n"
                  "    late.append(time.perf_counter() - begun - .01)\n")
        self.process = subprocess.Popen(unhurried(["python3", "-c", script]), stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.p99 = float(self.process.communicate()[0])


def load(server, path, body_file, connections, seconds, header=()):
    """One run of wrk: requests/s, latencies, errors, and the server's CPU per request in microseconds.
    `header` is a name and a value, if requests are to carry one."""
    processes = processes_below(server.process.pid)
    before = cpu_ticks(processes)
    run = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", f"{HERE}/post.lua",
         f"http://127.0.0.1:{server.port}", "--", path, body_file, *header], check=True, capture_output=True, text=True)
    used = cpu_ticks(processes) - before
    result = json.loads(run.stdout.strip().splitlines()[-1])
    result["rate"] = result["requests"] / result["microseconds"] * 1e6
    result["cpu"] = used * TICK / max(1, result["requests"])
    return result


class Server:
    """A process on the server's core that says on its first line where it listens."""

    def __init__(self, command, core=SERVER_CORE, **settings):
        pinned = ["taskset", "-c", core, *command] if core else command
        self.process = subprocess.Popen(pinned, stdout=subprocess.PIPE, text=True, **settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


class Responder(Server):
    def __init__(self, reply_file):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        super().__init__([f"{HERE}/.build/responder", str(self.port), reply_file])
        self.process.stdout.readline()


class Home(Server):
    """The product with a home of its own, serving the given models: name -> (file name, bytes)."""

    def __init__(self, models, before=(), core=SERVER_CORE, folder=RELEASE, manifests=None, options=()):
        self.folder = tempfile.mkdtemp(prefix="roost-bench-")
        os.chmod(self.folder, 0o755)
        for part in ("plugins", "functions"):
            os.makedirs(f"{self.folder}/{part}")
        for name, manifest in (manifests or {}).items():
            self.file(f"functions/{name}.json", json.dumps(manifest).encode())
        for name, data in models.values():
            self.file(f"plugins/{name}", data)
        pinned = ["taskset", "-c", core] if core else []
        self.command = [*pinned, *before, f"{folder}/roost", "serve", "--home", self.folder, "--listen", "127.0.0.1:0",
                        *options]
        self.start()
        for name in models:
            self.wait(lambda: self.ready(name))

    def start(self):
        """Starts the host and waits until all that was there before can be asked again."""
        # All the output is kept in a file, so that a full pipe can never hold the host up.
        self.output = open(f"{self.folder}/output", "w+")
        self.process = subprocess.Popen(self.command, stdout=self.output, stderr=subprocess.STDOUT)
        self.port = self.wait(lambda: self.listening())
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        self.wait(lambda: self.answers("/v2/health/ready"))

    def __exit__(self, *_):
        super().__exit__()
        shutil.rmtree(self.folder)

    def file(self, name, data):
        path = f"{self.folder}/{name}"
        with open(path, "wb") as file:
            file.write(data)
        return path

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as reply:
            return reply.read()

    def listening(self):
        with open(f"{self.folder}/output") as file:
            for line in file:
                if "listening on http://" in line:
                    return int(line.strip().rpartition(":")[2])
        return None

    def ready(self, name):
        return self.answers(f"/v2/models/{name}/ready")

    def answers(self, path):
        self.connection.request("GET", path)
        reply = self.connection.getresponse()
        reply.read()
        return reply.status == 200

    def wait(self, condition, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := condition():
                return value
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        with open(f"{self.folder}/output") as file:
            raise SystemExit(f"the host did not come up:\n{file.read()}")
