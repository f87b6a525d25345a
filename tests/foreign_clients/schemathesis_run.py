"""schemathesis, with all its checks, on `/openapi.json`."""

import subprocess
import sys
from pathlib import Path

base = f"http://127.0.0.1:{sys.argv[1]}"
command = [Path(sys.executable).with_name("schemathesis")]
command += ["--config-file", Path(__file__).with_name("schemathesis.toml")]
command += ["run", f"{base}/openapi.json", "--url", base, "--checks", "all"]
command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "50"]
command += ["--generation-deterministic", "--workers", "2"]
sys.exit(subprocess.run(command).returncode)
