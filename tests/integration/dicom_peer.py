"""A DICOM peer made of bytes, for what no decent peer does: it hangs, drops, lies about lengths."""
import socket
import struct

APPLICATION = b"1.2.840.10008.3.1.1.1"
VERIFICATION = "1.2.840.10008.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
IMPLICIT = "1.2.840.10008.1.2"
FRAGMENT = 16000  # below every bound on PDUs
ASSOCIATE_AC, ASSOCIATE_RJ, DATA, ABORT = 2, 3, 4, 7


def pdu(kind, body):
    return bytes([kind, 0]) + struct.pack(">I", len(body)) + body


def item(kind, body):
    return bytes([kind, 0]) + struct.pack(">H", len(body)) + body


def associate(calling="HOSTILE", called="RETROMASS", abstract=CT, syntax=IMPLICIT):
    context = item(0x20, bytes([1, 0, 0, 0]) + item(0x30, abstract.encode()) + item(0x40, syntax.encode()))
    user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3.4"))
    titles = called.encode().ljust(16) + calling.encode().ljust(16)
    return pdu(1, struct.pack(">HH", 1, 0) + titles + bytes(32) + item(0x10, APPLICATION) + context + user)


def element(group, number, value):
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HHI", group, number, len(value)) + value


def store_command(sop_uid, sop_class=CT):
    body = (element(0, 2, sop_class.encode()) + element(0, 0x100, b"\1\0") + element(0, 0x110, b"\1\0") + element(0, 0x700, b"\0\0")
            + element(0, 0x800, b"\0\0") + element(0, 0x1000, sop_uid.encode()))
    return element(0, 0, struct.pack("<I", len(body))) + body


def fragment(data, command=False, last=True):
    return pdu(DATA, struct.pack(">IBB", len(data) + 2, 1, (1 if command else 0) | (2 if last else 0)) + data)


class Peer:
    """One connection; `with Peer(port) as peer: peer.send(...)`."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        for part in parts:
            self.socket.sendall(part)

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                return b""
            data += more
        return data

    def answer(self):
        """Kind and body of the next PDU; (None, b"") where the node closed the connection."""
        try:
            head = self.read(6)
            return (head[0], self.read(struct.unpack(">I", head[2:])[0])) if head else (None, b"")
        except ConnectionResetError:
            return None, b""

    def associate(self, **how):
        self.send(associate(**how))
        return self.answer()[0]

    def store(self, sop_uid, data):
        """The status of a C-STORE; None where there is no answer."""
        parts = [data[at:at + FRAGMENT] for at in range(0, len(data), FRAGMENT)] or [b""]
        self.send(fragment(store_command(sop_uid), command=True), *(fragment(part, last=False) for part in parts[:-1]), fragment(parts[-1]))
        kind, body = self.answer()
        at = body.find(struct.pack("<HHI", 0, 0x900, 2))
        return struct.unpack("<H", body[at + 8:at + 10])[0] if kind == DATA and at >= 0 else None
