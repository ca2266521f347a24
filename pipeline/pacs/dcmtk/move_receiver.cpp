#include "pipeline/pacs/dcmtk/move_receiver.h"

#include <dcmtk/dcmnet/diutil.h>

#include "pipeline/pacs/dcmtk/storage_classes.h"

namespace retromass::pacs {

MoveReceiver::~MoveReceiver()
{
    stop_ = true;
    if (thread_.joinable()) thread_.join();
}

Status MoveReceiver::start(const Wanted& wanted)
{
    const auto refuse = [&](Code code, const std::string& why) { return Error{code, "port " + std::to_string(profile_.move_port) + " for C-MOVE: " + why, "pacs: dimse"}; };
    setPort(static_cast<Uint16>(profile_.move_port));
    setAETitle(profile_.calling_ae.c_str());
    setMaxReceivePDULength(static_cast<Uint32>(profile_.pdu_bytes));
    setConnectionBlockingMode(DUL_NOBLOCK);
    setConnectionTimeout(1);  // how often stop_ is looked at, s
    setACSETimeout(static_cast<Uint32>(profile_.timeouts.association_s));
    setDIMSEBlockingMode(DIMSE_NONBLOCKING);
    setDIMSETimeout(static_cast<Uint32>(profile_.timeouts.message_s));
    setProgressNotificationMode(OFTrue);  // counts what is received
    setHostLookupEnabled(OFFalse);
    setEnableVerification();
    OFList<OFString> syntaxes;
    for (const auto& syntax : kept_transfer_syntaxes()) syntaxes.push_back(syntax.c_str());
    for (const auto& storage : storage_classes(wanted)) {
        if (addPresentationContext(storage.c_str(), syntaxes).bad()) return refuse(Code::internal, "SOP class " + storage);
    }
    if (profile_.tls) {
        RETROMASS_TRY_ASSIGN(tls_, tls_layer(*profile_.tls, NET_ACCEPTOR, profile_.host));
        getConfig().setTransportLayer(tls_.get());
    }
    const auto opened = openListenPort();
    if (opened.bad()) return refuse(Code::network, words_of(opened) + "; is another program listening there?");
    thread_ = std::thread([this] { acceptAssociations(); });
    return Done{};
}

OFBool MoveReceiver::checkCalledAETitleAccepted(const OFString& title) { return title == profile_.calling_ae.c_str(); }

OFBool MoveReceiver::checkCallingAETitleAccepted(const OFString& title) { return title == profile_.called_ae.c_str(); }

OFBool MoveReceiver::stopAfterConnectionTimeout() { return stop_; }

OFBool MoveReceiver::stopAfterCurrentAssociation() { return stop_; }

OFCondition MoveReceiver::handleIncomingCommand(T_DIMSE_Message* message, const DcmPresentationContextInfo& context)
{
    if (message->CommandField != DIMSE_C_STORE_RQ) return DcmSCP::handleIncomingCommand(message, context);
    auto& request = message->msg.CStoreRQ;
    const std::string uid = request.AffectedSOPInstanceUID;
    if (!inbox_.wants(uid)) {
        // Refused alone: an association that ends here would take the objects behind it along.
        inbox_.say("the peer sent objects that were not asked for; they were not kept");
        const auto passed = receiveSTORERequest(request, context.presentationContextID, OFString(inbox_.refuse_part().c_str()));
        std::error_code ignored;
        std::filesystem::remove(inbox_.refuse_part(), ignored);
        return passed.bad() ? passed : sendSTOREResponse(context.presentationContextID, request, STATUS_STORE_Error_CannotUnderstand);
    }
    const auto part = inbox_.part(uid);
    if (!part) return makeDcmnetCondition(DIMSEC_OUTOFRESOURCES, OF_error, "no room");
    received_bytes_ = 0;
    const auto received = receiveSTORERequest(request, context.presentationContextID, OFString(part->c_str()));
    if (received.bad()) {
        inbox_.lose(uid);
        return received;
    }
    return sendSTOREResponse(context.presentationContextID, request, keep_received(inbox_, uid, received_bytes_));
}

}  // namespace retromass::pacs
