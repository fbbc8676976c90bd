"""Links the DuckDB extensions that the installed wheels carry into DIR/vVERSION/PLATFORM, and loads each once.

duckdb_extensions.py DIR
"""

import importlib.util
import pathlib
import sys

import duckdb

NAMES = ("httpfs", "avro", "iceberg", "delta")

root = pathlib.Path(sys.argv[1])
connection = duckdb.connect(
    config={"extension_directory": str(root), "autoinstall_known_extensions": "false"}
)
(platform,) = connection.execute("PRAGMA platform").fetchone()
folder = root / f"v{duckdb.__version__}" / platform
folder.mkdir(parents=True, exist_ok=True)
for name in NAMES:
    package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").origin).parent
    (source,) = package.glob(f"extensions/*/{name}.duckdb_extension")
    target = folder / source.name
    target.unlink(missing_ok=True)
    target.symlink_to(source)
    connection.execute(f"LOAD {name}")
    print(f"duckdb {duckdb.__version__}: {name} loaded")
