#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmnet/scu.h>

#include <memory>
#include <string>
#include <vector>

#include "pipeline/pacs/dcmtk/toolkit.h"
#include "pipeline/pacs/peer.h"

namespace retromass::pacs {

/// One thing an association is asked for.
struct Context {
    std::string abstract_syntax;
    std::vector<std::string> transfer_syntaxes;
    bool we_receive = false;  ///< the peer stores to us (C-GET)
};

/// Most contexts of one association: their odd identifiers end at 255 (PS3.8 9.3.2.2).
inline constexpr std::size_t kMostContexts = 128;

/// One association with the peer of a profile, over TLS where the profile says so; released or aborted at the end.
class Association final : private DcmSCU {
public:
    explicit Association(const Profile& profile);
    ~Association() override;

    /// Fails with network, peer-refused or pacs-profile.
    Status open(const std::vector<Context>& contexts);
    bool accepts(const std::string& abstract_syntax);

    Result<std::vector<Attributes>> find(const std::string& model, Depth depth, const Attributes& keys, const Progress& progress);
    Status get(const std::string& model, Depth depth, const Attributes& keys, Inbox& inbox);
    Status move(const std::string& model, Depth depth, const Attributes& keys, Inbox& inbox);
    /// Settles the object, or fails with network where the connection broke.
    Status store(Outgoing& object);

private:
    OFCondition handleFINDResponse(T_ASC_PresentationContextID context, QRResponse* response, OFBool& more) override;
    OFCondition handleSTORERequestFile(T_ASC_PresentationContextID* context, const OFString& file, T_DIMSE_C_StoreRQ* request) override;
    OFCondition sendSTOREResponse(T_ASC_PresentationContextID context, Uint16 status, const T_DIMSE_C_StoreRQ& request) override;
    OFCondition handleCGETResponse(T_ASC_PresentationContextID context, RetrieveResponse* response, OFBool& more) override;
    OFCondition handleMOVEResponse(T_ASC_PresentationContextID context, RetrieveResponse* response, OFBool& more) override;
    void notifyRECEIVEProgress(unsigned long bytes) override { received_bytes_ = bytes; }
    Status retrieve(const OFCondition& condition, Inbox& inbox);
    Error broke_off(const OFCondition& condition) const;
    std::string peer() const;

    const Profile& profile_;
    std::unique_ptr<DcmTLSTransportLayer> tls_;
    const Progress* progress_ = nullptr;
    std::vector<Attributes>* found_ = nullptr;
    std::uint16_t last_status_ = 0;   ///< of the last response that ended a service
    std::uint16_t answer_ = 0;        ///< to the object that is being received
    std::uintmax_t received_bytes_ = 0;  ///< of the data set that is being received
    OFCondition reception_;           ///< why an object did not come whole
    Inbox* inbox_ = nullptr;
    bool broken_ = false;
};

}  // namespace retromass::pacs
