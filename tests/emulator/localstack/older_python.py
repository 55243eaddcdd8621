"""What LocalStack 4.12.0 takes from Python 3.13, where it is tested, and which 3.10 to 3.12 do not have."""

import __future__

import hashlib
import importlib.machinery
import sys
import uuid


def install():
    if sys.version_info < (3, 13):
        sys.meta_path.insert(0, LazyAnnotations)
    if sys.version_info < (3, 12):
        uuid.uuid5 = uuid5


class LazyAnnotations(importlib.machinery.SourceFileLoader):
    """Before Python 3.13 `threading.Lock` was no type, and `Lock | None` in a signature could not be evaluated."""

    MODULE = "localstack.packages.api"

    def get_code(self, name):
        flags = __future__.annotations.compiler_flag
        return compile(self.get_source(name), self.path, "exec", flags=flags, dont_inherit=True)

    @classmethod
    def find_spec(cls, name, path, _target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name == cls.MODULE else None
        if spec:
            spec.loader = cls(name, spec.origin)
        return spec


def uuid5(namespace, name):
    """Before Python 3.12 the name could not be bytes, as those are from which KMS derives the id of a key."""
    name = name if isinstance(name, bytes) else name.encode()
    return uuid.UUID(bytes=hashlib.sha1(namespace.bytes + name).digest()[:16], version=5)
