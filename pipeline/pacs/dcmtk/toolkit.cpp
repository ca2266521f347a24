#include "pipeline/pacs/dcmtk/toolkit.h"

#include <dcmtk/dcmdata/dcuid.h>
#include <dcmtk/dcmnet/dimse.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace retromass::pacs {
namespace {

/// Where the data set starts in a file of ours: after preamble, prefix and the file meta information, whose length stands first
/// (PS3.10 7.1); 0 where the file is shorter than that.
std::uintmax_t data_set_start(const std::filesystem::path& file)
{
    constexpr std::size_t kLengthEnd = 144;  // 128 + 4 + tag, VR and length of (0002,0000), and its four bytes
    std::array<char, kLengthEnd> head{};
    std::ifstream in(file, std::ios::binary);
    if (!in.read(head.data(), head.size())) return 0;
    std::uintmax_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length |= static_cast<std::uintmax_t>(static_cast<unsigned char>(head[kLengthEnd - 4 + i])) << (8 * i);
    return kLengthEnd + length;
}

}  // namespace

void silence_toolkit()
{
    static const bool once = [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        return true;
    }();
    (void)once;
}

Result<std::unique_ptr<DcmTLSTransportLayer>> tls_layer(const Tls& tls, T_ASC_NetworkRole role, const std::string& host)
{
    const auto refuse = [](const std::string& why) { return Error{Code::pacs_profile, "TLS: " + why, "pacs: tls"}; };
    auto layer = std::make_unique<DcmTLSTransportLayer>(role, nullptr, OFTrue);
    if (!*layer) return refuse("the toolkit cannot start it");
    for (const auto& file : tls.trusted) {
        if (layer->addTrustedCertificateFile(file.c_str(), DCF_Filetype_PEM).bad()) return refuse(file.string() + " holds no certificate (expected PEM)");
    }
    if (!tls.key.empty()) {
        layer->setPrivateKeyPasswd("");  // an encrypted key is refused instead of asked for on the terminal
        if (layer->setPrivateKeyFile(tls.key.c_str(), DCF_Filetype_PEM).bad()) return refuse(tls.key.string() + " holds no private key without a passphrase (expected PEM)");
        if (layer->setCertificateFile(tls.certificate.c_str(), DCF_Filetype_PEM).bad()) return refuse(tls.certificate.string() + " holds no certificate (expected PEM)");
        if (!layer->checkPrivateKeyMatchesCertificate()) return refuse("the private key " + tls.key.string() + " does not belong to the certificate " + tls.certificate.string());
    } else if (role != NET_REQUESTOR) {
        return refuse("to be reached over TLS, the profile needs key and certificate");
    }
    if (layer->setTLSProfile(TSP_Profile_BCP195_ND).bad() || layer->activateCipherSuites().bad()) return refuse("the profile BCP 195 is not available");
    layer->setCertificateVerification(tls.verify ? DCV_requireCertificate : DCV_ignoreCertificate);
    if (tls.verify && role == NET_REQUESTOR) {
        // The toolkit accepts a certificate of any host that the authority signed.
        auto* const wanted = SSL_CTX_get0_param(layer->getNativeHandle());
        if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1 && X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), 0) != 1) return refuse("host " + host + " cannot be checked");
    }
    return layer;
}

std::string words_of(const OFCondition& condition)
{
    std::string out = condition.text();
    std::replace(out.begin(), out.end(), '\n', ' ');
    return out;
}

std::vector<std::string> kept_transfer_syntaxes()
{
    return {UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax, UID_JPEGProcess14SV1TransferSyntax, UID_JPEGProcess14TransferSyntax,
            UID_JPEGLSLosslessTransferSyntax, UID_JPEG2000LosslessOnlyTransferSyntax, UID_RLELosslessTransferSyntax, UID_DeflatedExplicitVRLittleEndianTransferSyntax,
            // Originals that were compressed with loss: they are kept, so that reading says so.
            UID_JPEGProcess1TransferSyntax, UID_JPEGProcess2_4TransferSyntax, UID_JPEGLSLossyTransferSyntax, UID_JPEG2000TransferSyntax};
}

std::uint16_t keep_received(Inbox& inbox, const std::string& uid, std::uintmax_t data_set_bytes)
{
    const auto part = inbox.part(uid);
    std::error_code failed;
    const auto size = part ? std::filesystem::file_size(*part, failed) : 0;
    const auto start = part ? data_set_start(*part) : 0;
    if (start == 0 || failed || size != start + data_set_bytes) {
        inbox.lose(uid);
        inbox.say("instance " + uid + " was not written whole");
        return STATUS_STORE_Refused_OutOfResources;
    }
    const auto kept = inbox.keep(uid);
    if (kept) return STATUS_STORE_Success;
    inbox.say(kept.error().message);
    return inbox.broken() ? STATUS_STORE_Refused_OutOfResources : STATUS_STORE_Error_DataSetDoesNotMatchSOPClass;
}

}  // namespace retromass::pacs
