"""Those who take turns: the tapline command, and one process for each framework."""

import json
import os
import subprocess
import sys
import tempfile
import time
import venv


class Failed(Exception):
    pass


def prepare_environment(folder, requirements):
    """Makes the virtual environment where it is missing, and returns its Python. A file in it says that it is complete."""
    python, complete = os.path.join(folder, "bin", "python"), os.path.join(folder, "tapline-complete")
    if os.path.exists(complete):
        return python
    print(f"installing the frameworks into {folder}", file=sys.stderr)
    if not os.path.exists(python):
        venv.create(folder, with_pip=True)
    if subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", requirements]).returncode != 0:
        raise Failed(f"cannot install the frameworks into {folder}")
    open(complete, "w").close()
    return python


class Tapline:
    def __init__(self, command, threads, precision, seconds):
        self.command, self.precision = command, precision
        self.common = ["--threads", str(threads), "--seconds", str(seconds), "--json"]
        self.machine = None

    def call(self, *arguments):
        try:
            done = subprocess.run([self.command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        except OSError as error:
            raise Failed(f"{self.command}: {error.strerror}; build it, or name it with --command") from error
        if done.returncode != 0:
            raise Failed(f"tapline {' '.join(arguments)}: {done.stderr.strip() or 'ended by a signal'}")
        return done.stdout

    def version(self):
        return self.call("--version").strip()

    def bench(self, *arguments):
        return json.loads(self.call("bench", *arguments, *self.common).splitlines()[-1])

    def shape(self, name):
        """The geometry of a shape of the grid, without its name."""
        shape = self.bench("conv", "--only", name, "--engine", "auto")["shapes"][0]
        del shape["name"]
        return shape

    def convolution(self, shape):
        parts = ",".join(f"{key}={value}" for key, value in shape.items())
        answer = self.bench("conv", "--shape", parts, "--engine", "auto", "--precision", self.precision)
        self.machine = {key: answer[key] for key in ("isa", "peak_gflops", "blas_gflops")}
        passes = {result["pass"]: result for result in answer["results"] + answer["together"]}
        turn = {
            name: {
                "best": result["ms"],
                "median": result["median_ms"],
                "count": result["samples"],
                "engine": result.get("uses"),
                "fraction_of_peak": result["fraction_of_peak"],
            }
            for name, result in passes.items()
        }
        return turn | {"peak_gflops": answer["peak_gflops"]}

    def network(self, name):
        answer = self.bench("step", "--only", name)
        result = answer["results"][0]
        case = {key: result[key] for key in ("model", "batch", "length", "channels", "classes", "parameters")}
        self.machine = self.machine or {"isa": answer["isa"]}
        return {
            "step": {"best": result["step_min_ms"], "median": result["step_ms"]},
            "infer": {"best": result["infer_min_ms"], "median": result["infer_ms"]},
            "infer1": {"best": result["infer1_min_ms"], "median": result["infer1_ms"]},
            "conv_ms": result["conv_ms"],
            "step_over_conv": result["step_over_conv"],
            "parameters": result["parameters"],
            "case": case,
        }


def whole_process(line, folder, threads):
    """Runs a command from its start to its end: {"seconds", "megabytes" (its largest resident memory), "printed"}."""
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", CUDA_VISIBLE_DEVICES="-1", OMP_NUM_THREADS=str(threads))
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as messages:
        start = time.perf_counter()
        process = subprocess.Popen(line, cwd=folder, env=environment, stdout=output, stderr=messages, text=True)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        messages.seek(0)
        if process.returncode != 0:
            raise Failed(f"{' '.join(line)}: {messages.read().strip() or 'ended by a signal'}")
        output.seek(0)
        return {"seconds": seconds, "megabytes": usage.ru_maxrss / 1024, "printed": output.read()}


class Peer:
    """A worker.py of a framework, which lives until close()."""

    def __init__(self, python, folder, name, threads):
        self.name = name
        environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", CUDA_VISIBLE_DEVICES="-1", OMP_NUM_THREADS=str(threads))
        # else glibc's malloc gives large arrays back at each call and has them cleared anew, which costs PyTorch much of its time
        environment |= {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "4000000000"}
        self.log = open(os.devnull, "w") if "TAPLINE_COMPARE_DEBUG" not in os.environ else None
        self.process = subprocess.Popen(
            [python, "worker.py", name, str(threads)],
            cwd=folder,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        self.version = self.read()["version"]

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.name}: its process ended (set TAPLINE_COMPARE_DEBUG to see its messages)")
        return json.loads(line)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
