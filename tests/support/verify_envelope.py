"""Checks the envelope of a bundle with public implementations: securesystemslib (DSSE, Ed25519) and in-toto-attestation.

    pip install 'securesystemslib[crypto]' in-toto-attestation
    python tests/support/verify_envelope.py BUNDLE PUBLIC_KEY.pem
"""

import hashlib
import json
import sys
import tarfile

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

bundle, key_file = sys.argv[1:]
with tarfile.open(bundle) as archive:
    files = {member.name: archive.extractfile(member).read() for member in archive}
written = json.loads(files["attestation.json"])
with open(key_file, "rb") as file:
    key = SSlibKey.from_crypto(load_pem_public_key(file.read()), keyid=written["signatures"][0]["keyid"])
envelope = Envelope.from_dict(written)
envelope.verify([key], threshold=1)
statement = ParseDict(json.loads(envelope.payload), Message())
Statement.copy_from_pb(statement).validate()
for subject in statement.subject:
    if subject.name in files:
        assert hashlib.sha256(files[subject.name]).hexdigest() == subject.digest["sha256"], subject.name
print(f"accepted: {statement.predicate['result']}, {len(statement.subject)} subjects")
