"""Makes the component of rule.py, dist/{{name}}.wasm: `python build.py`. Needs the packages of requirements.txt."""

import sys
from pathlib import Path

from componentize_py import script

HERE = Path(__file__).parent

component = HERE / "dist/{{name}}.wasm"
component.parent.mkdir(exist_ok=True)
# Without WASI: a rule reaches what heatd gives it, and nothing else.
command = ["componentize", "--stub-wasi", "--python-path", str(HERE), "--output", str(component), "rule"]
sys.argv = ["componentize-py", "--wit-path", str(HERE / "wit"), "--world", "rule", *command]
sys.exit(script())
