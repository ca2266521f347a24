#include "pipeline/pacs/dcmtk/association.h"

#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/cond.h>
#include <dcmtk/dcmnet/dcmtrans.h>
#include <dcmtk/dcmnet/diutil.h>
#include <dcmtk/dcmnet/dul.h>

#include "pipeline/pacs/status_words.h"

namespace retromass::pacs {
namespace {

constexpr const char* kWhere = "pacs: dimse";

/// A peer that never stops answering is not believed.
constexpr std::size_t kMostMatches = 1'000'000;

const char* level_name(Depth depth)
{
    switch (depth) {
    case Depth::patient: return "PATIENT";
    case Depth::study: return "STUDY";
    case Depth::series: return "SERIES";
    case Depth::image: return "IMAGE";
    }
    return "";
}

Result<std::unique_ptr<DcmDataset>> identifier_of(Depth depth, const Attributes& keys)
{
    auto out = std::make_unique<DcmDataset>();
    out->putAndInsertString(DCM_QueryRetrieveLevel, level_name(depth));
    bool plain = true;
    for (const auto& [which, value] : keys) {
        const DcmTag key(static_cast<Uint16>(which >> 16), static_cast<Uint16>(which & 0xFFFF));
        for (const char c : value) plain = plain && static_cast<unsigned char>(c) < 0x80;
        const auto put = value.empty() ? out->insertEmptyElement(key) : out->putAndInsertOFStringArray(key, OFString(value.data(), value.size()));
        if (put.bad()) return Error{Code::usage, "the value asked for does not fit its DICOM attribute: " + words_of(put), kWhere};
    }
    if (!plain) out->putAndInsertString(DCM_SpecificCharacterSet, "ISO_IR 192");
    return out;
}

Attributes attributes_of(DcmDataset& data)
{
    data.convertToUTF8();
    Attributes out;
    for (auto* element = data.nextInContainer(nullptr); element != nullptr; element = data.nextInContainer(element)) {
        OFString value;
        if (data.findAndGetOFStringArray(element->getTag(), value).good()) {
            out[(static_cast<Tag>(element->getGTag()) << 16) | element->getETag()] = std::string(value.data(), value.size());
        }
    }
    return out;
}

}  // namespace

Association::Association(const Profile& profile) : profile_(profile)
{
    silence_toolkit();
    setPeerHostName(profile.host.c_str());
    setPeerPort(static_cast<Uint16>(profile.port));
    setPeerAETitle(profile.called_ae.c_str());
    setAETitle(profile.calling_ae.c_str());
    setMaxReceivePDULength(static_cast<Uint32>(profile.pdu_bytes));
    setConnectionTimeout(profile.timeouts.connect_s);
    setACSETimeout(static_cast<Uint32>(profile.timeouts.association_s));
    setDIMSEBlockingMode(DIMSE_NONBLOCKING);
    setDIMSETimeout(static_cast<Uint32>(profile.timeouts.message_s));
    // A peer that stops in the middle of a PDU; these two are global to the toolkit.
    dcmSocketReceiveTimeout.set(profile.timeouts.message_s);
    dcmSocketSendTimeout.set(profile.timeouts.message_s);
    setStorageMode(DCMSCU_STORAGE_BIT_PRESERVING);
    setDatasetConversionMode(OFTrue);
    setProgressNotificationMode(OFTrue);  // counts what is received
}

Association::~Association()
{
    if (isConnected()) {
        if (broken_) abortAssociation();
        else releaseAssociation();
    }
    freeNetwork();
}

std::string Association::peer() const { return profile_.called_ae + " at " + profile_.host + ":" + std::to_string(profile_.port); }

Error Association::broke_off(const OFCondition& condition) const
{
    if (inbox_ && !inbox_->goes_on() && !inbox_->broken()) return {Code::cancelled, "stopped on request", kWhere};
    return {Code::network, peer() + " broke off: " + words_of(condition), kWhere};
}

Status Association::open(const std::vector<Context>& contexts)
{
    for (const auto& context : contexts) {
        OFList<OFString> syntaxes;
        for (const auto& syntax : context.transfer_syntaxes) syntaxes.push_back(syntax.c_str());
        const auto added = addPresentationContext(context.abstract_syntax.c_str(), syntaxes, context.we_receive ? ASC_SC_ROLE_SCP : ASC_SC_ROLE_DEFAULT);
        if (added.bad()) return Error{Code::internal, "presentation context " + context.abstract_syntax + ": " + words_of(added), kWhere};
    }
    auto started = initNetwork();
    if (started.bad()) return Error{Code::network, "the network cannot be used: " + words_of(started), kWhere};
    if (profile_.tls) {
        RETROMASS_TRY_ASSIGN(tls_, tls_layer(*profile_.tls, NET_REQUESTOR, profile_.host));
        started = useSecureConnection(tls_.get());
        if (started.bad()) return Error{Code::network, "TLS cannot be used: " + words_of(started), kWhere};
    }
    const auto agreed = negotiateAssociation();
    if (agreed.good()) return Done{};
    if (agreed == DUL_ASSOCIATIONREJECTED) {
        return Error{Code::peer_refused, peer() + " refuses the association: is called_ae its title, and does it know ours, " + profile_.calling_ae + "?", kWhere};
    }
    if (agreed == NET_EC_NoAcceptablePresentationContexts) return Error{Code::peer_refused, peer() + " takes nothing of what was asked for: no such service, or no object of these classes in these encodings", kWhere};
    const std::string hint = profile_.tls ? "; the profile says TLS: does the port speak it, and did an authority in ca sign the peer's certificate for this host?" : "; if the port speaks TLS, the profile needs tls";
    return Error{Code::network, peer() + " cannot be reached: " + words_of(agreed) + hint, kWhere};
}

bool Association::accepts(const std::string& abstract_syntax) { return findAnyPresentationContextID(abstract_syntax.c_str(), "") != 0; }

OFCondition Association::handleFINDResponse(T_ASC_PresentationContextID, QRResponse* response, OFBool& more)
{
    last_status_ = response->m_status;
    more = DICOM_PENDING_STATUS(response->m_status);
    if (more && response->m_dataset) found_->push_back(attributes_of(*response->m_dataset));
    if (found_->size() > kMostMatches || !goes_on(*progress_, "asking", 0)) {
        broken_ = true;
        more = OFFalse;
    }
    return EC_Normal;
}

Result<std::vector<Attributes>> Association::find(const std::string& model, Depth depth, const Attributes& keys, const Progress& progress)
{
    RETROMASS_TRY_ASSIGN(const auto identifier, identifier_of(depth, keys));
    std::vector<Attributes> found;
    found_ = &found;
    progress_ = &progress;
    last_status_ = STATUS_FIND_Pending_MatchesAreContinuing;
    const auto done = sendFINDRequest(findAnyPresentationContextID(model.c_str(), ""), identifier.get(), nullptr);
    if (!goes_on(progress, "asking", 0)) return Error{Code::cancelled, "stopped on request", kWhere};
    if (done.bad()) {
        broken_ = true;
        return broke_off(done);
    }
    if (broken_) return Error{Code::pacs_incomplete, peer() + " answers with more than a million matches; narrow the question", kWhere};
    if (last_status_ != STATUS_Success) return Error{Code::peer_refused, peer() + " does not answer the question: " + status_words(last_status_), kWhere};
    return found;
}

OFCondition Association::handleSTORERequestFile(T_ASC_PresentationContextID* context, const OFString&, T_DIMSE_C_StoreRQ* request)
{
    const std::string uid = request->AffectedSOPInstanceUID;
    if (!inbox_->wants(uid)) {
        inbox_->say("the peer sent objects that were not asked for; they were not kept");
        answer_ = STATUS_STORE_Error_CannotUnderstand;
        return ignoreSTORERequest(*context, *request);
    }
    const auto part = inbox_->part(uid);
    if (!part) {
        answer_ = STATUS_STORE_Refused_OutOfResources;
        return ignoreSTORERequest(*context, *request);
    }
    received_bytes_ = 0;
    const auto received = DcmSCU::handleSTORERequestFile(context, part->c_str(), request);
    if (received.bad()) {
        reception_ = received;
        inbox_->lose(uid);
        return received;
    }
    answer_ = keep_received(*inbox_, uid, received_bytes_);
    return EC_Normal;
}

OFCondition Association::sendSTOREResponse(T_ASC_PresentationContextID context, Uint16 status, const T_DIMSE_C_StoreRQ& request)
{
    const auto sent = DcmSCU::sendSTOREResponse(context, status == STATUS_Success ? answer_ : status, request);
    // An error here ends the session: nothing more can be written, or nobody waits for it.
    return sent.good() && !inbox_->goes_on() ? makeDcmnetCondition(DIMSEC_OUTOFRESOURCES, OF_error, "stopped here") : sent;
}

OFCondition Association::handleCGETResponse(T_ASC_PresentationContextID, RetrieveResponse* response, OFBool& more)
{
    last_status_ = response->m_status;
    more = DICOM_PENDING_STATUS(response->m_status) && inbox_->goes_on();
    return EC_Normal;
}

OFCondition Association::handleMOVEResponse(T_ASC_PresentationContextID context, RetrieveResponse* response, OFBool& more)
{
    return handleCGETResponse(context, response, more);
}

Status Association::retrieve(const OFCondition& condition, Inbox& inbox)
{
    broken_ = condition.bad() || reception_.bad() || !inbox.goes_on();
    if (inbox.broken()) return *inbox.broken();
    if (broken_) return broke_off(reception_.bad() ? reception_ : condition);
    if (last_status_ != STATUS_Success) return Error{Code::peer_refused, peer() + " did not give everything: " + status_words(last_status_), kWhere};
    return Done{};
}

Status Association::get(const std::string& model, Depth depth, const Attributes& keys, Inbox& inbox)
{
    RETROMASS_TRY_ASSIGN(const auto identifier, identifier_of(depth, keys));
    inbox_ = &inbox;
    last_status_ = STATUS_GET_Pending_SubOperationsAreContinuing;
    return retrieve(sendCGETRequest(findAnyPresentationContextID(model.c_str(), ""), identifier.get(), nullptr), inbox);
}

Status Association::move(const std::string& model, Depth depth, const Attributes& keys, Inbox& inbox)
{
    RETROMASS_TRY_ASSIGN(const auto identifier, identifier_of(depth, keys));
    inbox_ = &inbox;
    last_status_ = STATUS_MOVE_Pending_SubOperationsAreContinuing;
    return retrieve(sendMOVERequest(findAnyPresentationContextID(model.c_str(), ""), profile_.calling_ae.c_str(), identifier.get(), nullptr), inbox);
}

Status Association::store(Outgoing& object)
{
    const auto& header = object.header;
    // The same encoding, else one that differs in no value: between the two uncompressed ones the toolkit converts.
    auto context = findPresentationContextID(header.sop_class_uid.c_str(), header.transfer_syntax.c_str());
    const bool plain = header.transfer_syntax == UID_LittleEndianExplicitTransferSyntax || header.transfer_syntax == UID_LittleEndianImplicitTransferSyntax;
    for (const char* other : {UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax}) {
        if (context == 0 && plain) context = findPresentationContextID(header.sop_class_uid.c_str(), other);
    }
    if (context == 0) {
        object.settled = true;
        object.answer = "the peer takes no " + std::string(dcmFindNameOfUID(header.sop_class_uid.c_str(), header.sop_class_uid.c_str())) + " in the encoding of the file (" +
                        dcmFindNameOfUID(header.transfer_syntax.c_str(), header.transfer_syntax.c_str()) + ")";
        return Done{};
    }
    Uint16 status = STATUS_Pending;
    const auto sent = sendSTORERequest(context, OFFilename(object.file.c_str()), nullptr, status);
    object.settled = true;
    if (sent.good()) {
        object.sent = is_stored(status);
        object.answer = status == STATUS_Success ? std::string() : status_words(status);
    } else if (sent == EC_InvalidStream || sent == EC_CorruptedData || sent.module() == OFM_dcmdata) {
        object.answer = "the file cannot be read: " + words_of(sent);
    } else {
        object.settled = false;
        broken_ = true;
        return broke_off(sent);
    }
    return Done{};
}

}  // namespace retromass::pacs
