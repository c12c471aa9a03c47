"""Writes a wheel of the Python package, with nothing but Python itself.

    python3 ext/package/wheel.py VERSION PLATFORM FOLDER TO     (make wheel)

FOLDER holds the package's files. A wheel is a zip archive: the package, and
beside it what it is called, what it runs on, and a digest of every file. The
module is compiled, but calls no Python: any Python 3 of the platform takes it.
"""

import base64
import hashlib
import os
import sys
import time
import zipfile

version, platform, folder, to = sys.argv[1:]
tag = "py3-none-" + platform
info = f"sqlite_ledger-{version}.dist-info/"
here = os.path.dirname(os.path.abspath(__file__))


def content(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


files = {}
for at, _, names in os.walk(folder):
    for name in names:
        path = os.path.relpath(os.path.join(at, name), folder)
        files["sqlite_ledger/" + path] = content(at, name)
files[info + "LICENSE"] = content(here, "..", "..", "LICENSE")
files[info + "METADATA"] = (
    content(here, "python", "METADATA.in")
    .replace(b"@VERSION@", version.encode())
    + content(here, "python", "README.md")
)
files[info + "WHEEL"] = (
    "Wheel-Version: 1.0\nGenerator: sqlite-ledger\n"
    f"Root-Is-Purelib: false\nTag: {tag}\n"
).encode()

record = ""
for name in sorted(files):
    digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest())
    record += f"{name},sha256={digest.decode().rstrip('=')},{len(files[name])}\n"
files[info + "RECORD"] = (record + info + "RECORD,,\n").encode()

date = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), 315532800))
path = os.path.join(to, f"sqlite_ledger-{version}-{tag}.whl")
with zipfile.ZipFile(path, "w") as wheel:
    for name in sorted(files):
        entry = zipfile.ZipInfo(name, date[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o100644 << 16
        wheel.writestr(entry, files[name])
print(path)
