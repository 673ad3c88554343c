"""`wutong authority`: what it prints is the certificate that browsers get, and what it issues is one server's."""

from __future__ import annotations

import io
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from sync.tls.names import hosts_in
from wutong.authority import issue, show
from wutong.terminal import terminal


def test_the_fingerprint_and_the_address_are_printed_with_a_code_of_both(tmp_path: Path) -> None:
    config = tmp_path / "center.toml"
    config.write_text('[storage]\ndata = "d"\n[tls]\nnames = ["center.court.example"]\n')
    out = io.StringIO()
    show(config, terminal(file=out, width=200))
    certificate = x509.load_pem_x509_certificate((tmp_path / "d" / "keys" / "authority.pem").read_bytes())
    assert certificate.fingerprint(hashes.SHA256()).hex(":").upper() in out.getvalue()
    assert "https://center.court.example:8800/authority.pem" in out.getvalue()
    assert "\u2580" in out.getvalue() or "\u2584" in out.getvalue()


def test_a_certificate_for_another_server_names_that_host_alone(tmp_path: Path) -> None:
    config = tmp_path / "center.toml"
    config.write_text('[storage]\ndata = "d"\n')
    issue(config, "Copies.court.example", tmp_path, terminal(file=io.StringIO()))
    made = x509.load_pem_x509_certificate((tmp_path / "copies.court.example.pem").read_bytes())
    assert hosts_in(made) == {"copies.court.example"}
    assert (tmp_path / "copies.court.example.key").stat().st_mode & 0o777 == 0o600
