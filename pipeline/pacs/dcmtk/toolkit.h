#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmtls/tlslayer.h>

#include <memory>
#include <string>

#include "core/result.h"
#include "pipeline/pacs/inbox.h"
#include "pipeline/pacs/pacs.h"

namespace retromass::pacs {

/// The toolkit logs what passes through it, patient names too: nothing of that is printed.
void silence_toolkit();

/// TLS 1.2 and later by the profile BCP 195, for asking (the peer's certificate must name its host) or for being asked.
Result<std::unique_ptr<DcmTLSTransportLayer>> tls_layer(const Tls& tls, T_ASC_NetworkRole role, const std::string& host);

/// A condition as one sentence; line breaks and the toolkit's numbers are taken out.
std::string words_of(const OFCondition& condition);

/// Every transfer syntax that an object may lie in at the peer, so that it comes as it is.
std::vector<std::string> kept_transfer_syntaxes();

/// Takes the part that was received into the inbox; the status to answer the peer with. `data_set_bytes`: what came over the network.
/// The toolkit does not notice a disk that is full by the time it closes the file, so the length is compared.
std::uint16_t keep_received(Inbox& inbox, const std::string& sop_instance_uid, std::uintmax_t data_set_bytes);

}  // namespace retromass::pacs
