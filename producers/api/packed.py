"""gzip and zstd bodies, unpacked as far as a bound: a small body must not become a large one. Pure."""

import zlib

import zstandard

#: Content codings that are taken, and the word for a body that is not what it says.
PACKINGS = {"gzip": "bad_gzip", "zstd": "bad_zstd"}

_GZIP = 16 + zlib.MAX_WBITS
#: Memory one zstd body may ask for. What compressors use unless told otherwise is below; RFC 8878 asks for no more.
_MAX_WINDOW = 8 * 1024 * 1024
#: zstd gives all it has for its input: at most 128 KiB for four bytes.
_SLICE = 512


def unpack(packing: str, data: bytes, max_bytes: int) -> bytes | None:
    """The unpacked bytes, cut off at some point past `max_bytes`; None where `data` is not whole members or frames.

    `packing` is one of PACKINGS.
    """
    take = _zstd if packing == "zstd" else _gzip
    unpacked = bytearray()
    try:
        while data and len(unpacked) <= max_bytes:
            rest = take(data, unpacked, max_bytes)
            if rest is None:
                return bytes(unpacked) if len(unpacked) > max_bytes else None
            data = rest
    except (zlib.error, zstandard.ZstdError):
        return None
    return bytes(unpacked)


def _gzip(data: bytes, unpacked: bytearray, max_bytes: int) -> bytes | None:
    """Unpack one member; what follows it, None where it does not end."""
    unpacker = zlib.decompressobj(_GZIP)
    unpacked += unpacker.decompress(data, max_bytes + 1 - len(unpacked))
    return unpacker.unused_data if unpacker.eof else None


def _zstd(data: bytes, unpacked: bytearray, max_bytes: int) -> bytes | None:
    """The same of one frame."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
    for start in range(0, len(data), _SLICE):
        unpacked += unpacker.decompress(data[start : start + _SLICE])
        if unpacker.eof:
            return unpacker.unused_data + data[start + _SLICE :]
        if len(unpacked) > max_bytes:
            break
    return None
