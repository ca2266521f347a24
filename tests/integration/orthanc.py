"""A real PACS for tests: Orthanc in a network of this test's own, started and ended by its process number."""
import json
import os
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from program import absent

ORTHANC = "/usr/sbin/Orthanc"
PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
INSIDE = "RETROMASS_TEST_NETWORK"


def alone_on_the_network():
    """Starts the script again where only its own loopback is: Orthanc listens on every address, and no packet may leave.

    Where that is not permitted the tests say so (`needs_orthanc`).
    """
    if INSIDE in os.environ:
        if os.environ[INSIDE] == "1":
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    may = subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0
    os.environ[INSIDE] = "1" if may else "0"
    if may:
        os.execvp("unshare", ["unshare", "-n", sys.executable, *sys.argv])


def needs_orthanc(test):
    """Skips the test loudly where there is no PACS or no network of its own, and fails it where RETROMASS_REQUIRE_DATA is set."""
    if not (os.path.exists(ORTHANC) and os.path.exists(PLUGIN)):
        absent(test, "the programs orthanc and orthanc-dicomweb: no PACS was talked to")
    if os.environ.get(INSIDE) != "1":
        absent(test, "unshare -n: no network of its own, no PACS was talked to")


class Orthanc:
    """One PACS: DIMSE and DICOMweb on 127.0.0.1; DIMSE over TLS, with certificates on both sides, where they are given."""

    def __init__(self, folder, name="ORTHANC", http=18042, dicom=14242, modalities=None, tls=None, **settings):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.name, self.http, self.dicom, self.tls = folder, name, http, dicom, tls
        self.settings = {
            "Name": name, "StorageDirectory": os.path.join(folder, "db"), "IndexDirectory": os.path.join(folder, "db"), "Plugins": [PLUGIN],
            "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "HttpPort": http, "DicomAet": name, "DicomPort": dicom,
            "DicomCheckCalledAet": True, "DicomAlwaysAllowEcho": False, "DicomAlwaysAllowStore": False, "ConcurrentJobs": 2,
            "DicomModalities": modalities or {}, "OverwriteInstances": False, "StableAge": 1, "DicomWeb": {"Enable": True, "Root": "/dicom-web/"}, **settings}
        if tls:
            self.settings.update({
                "DicomTlsEnabled": True, "DicomTlsCertificate": tls["certificate"], "DicomTlsPrivateKey": tls["key"], "DicomTlsTrustedCertificates": tls["ca"],
                "DicomTlsRemoteCertificateRequired": True})
        self.process = None

    def start(self):
        path = os.path.join(self.folder, "orthanc.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.settings, file)
        with open(os.path.join(self.folder, "orthanc.log"), "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([ORTHANC, path], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.rest("/system")
                return self
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    with open(os.path.join(self.folder, "orthanc.log"), encoding="utf-8") as log:
                        raise AssertionError("Orthanc did not start:\n" + log.read()[-2000:]) from None
                time.sleep(0.1)

    def stop(self, with_signal=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(with_signal)
            self.process.wait(30)
        self.process = None

    def wipe(self):
        self.stop()
        shutil.rmtree(os.path.join(self.folder, "db"), ignore_errors=True)

    def rest(self, path):
        """The answer of Orthanc's own interface, which ours do not use."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=20) as answer:
            return json.loads(answer.read())


class Front(socketserver.ThreadingTCPServer):
    """A port before another one. It drops connections after as many bytes from the client as `cuts` says, one entry a connection."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port, behind, cuts=()):
        self.behind, self.cuts = behind, list(cuts)
        super().__init__(("127.0.0.1", port), None)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def opened(self, request):
        return request

    def finish_request(self, request, client_address):
        left = self.cuts.pop(0) if self.cuts else None
        with self.opened(request) as outside, socket.create_connection(("127.0.0.1", self.behind)) as inside:
            back = threading.Thread(target=self.copy, args=(inside, outside), daemon=True)
            back.start()
            self.copy(outside, inside, left)
            if left is not None:
                outside.shutdown(socket.SHUT_RDWR)
            back.join(20)

    @staticmethod
    def copy(source, sink, left=None):
        try:
            while (left is None or left > 0) and (data := source.recv(65536)):
                sink.sendall(data)
                left = None if left is None else left - len(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def handle_error(self, request, client_address):
        pass  # a client that does not like the certificate

    def stop(self):
        self.shutdown()
        self.server_close()


class TlsFront(Front):
    """https before a port that speaks http, as a hospital's proxy does (Debian's Orthanc 1.10.1 crashes when it speaks https itself)."""

    def __init__(self, port, behind, certificate, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        super().__init__(port, behind)

    def opened(self, request):
        return self.context.wrap_socket(request, server_side=True)


def certificates(folder):
    """A small authority with a certificate for the server 127.0.0.1 and one for a client; and the certificate of another authority."""
    os.makedirs(folder, exist_ok=True)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name} of the test", "-keyout", f"{name}.key", "-out", f"{name}.pem",
                "-addext", "basicConstraints=critical,CA:TRUE")
    for name, subject in (("server", "IP:127.0.0.1"), ("client", "DNS:client.example.org")):
        with open(os.path.join(folder, "names"), "w", encoding="ascii") as file:
            file.write(f"subjectAltName={subject}\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", f"{name}.pem")
        os.chmod(os.path.join(folder, f"{name}.key"), 0o600)

    def of(name):
        return {"key": os.path.join(folder, f"{name}.key"), "certificate": os.path.join(folder, f"{name}.pem"), "ca": os.path.join(folder, "ca.pem")}
    return {name: of(name) for name in ("server", "client")}, os.path.join(folder, "stranger.pem")
