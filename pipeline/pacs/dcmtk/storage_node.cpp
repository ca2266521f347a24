#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrmf.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/assoc.h>
#include <dcmtk/dcmnet/dcmtrans.h>
#include <dcmtk/dcmnet/dimse.h>
#include <dcmtk/dcmnet/diutil.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "pipeline/pacs/dcmtk/toolkit.h"
#include "pipeline/pacs/node_association.h"
#include "pipeline/pacs/query.h"

namespace retromass::pacs {
namespace {

/// No file may grow beyond this while it lives; the process's log among them, so it lives no longer than a data set arrives.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t most)
    {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        auto limit = before_;
        limit.rlim_cur = std::min(most, before_.rlim_max);
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

private:
    rlimit before_{};
};

namespace fs = std::filesystem;

/// What ingest decodes (docs/stages/codecs.md). Of those a peer proposes for a kind of object its first one is taken: what it has, it sends unchanged.
constexpr std::array kTransferSyntaxes{
    UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax, UID_BigEndianExplicitTransferSyntax, UID_DeflatedExplicitVRLittleEndianTransferSyntax,
    UID_RLELosslessTransferSyntax, UID_JPEGProcess1TransferSyntax, UID_JPEGProcess2_4TransferSyntax, UID_JPEGProcess14TransferSyntax, UID_JPEGProcess14SV1TransferSyntax,
    UID_JPEGLSLosslessTransferSyntax, UID_JPEGLSLossyTransferSyntax, UID_JPEG2000LosslessOnlyTransferSyntax, UID_JPEG2000TransferSyntax};
constexpr Uint32 kLargestValueRead = 4096;       // bytes; larger values are stepped over, not read, when an object is checked
constexpr std::uint64_t kMetaGroup = 1 << 12;    // bytes; what a file has beside its data set
constexpr std::uint64_t kSmallestRoom = 1 << 20; // bytes; with less nothing is begun
constexpr const char* kNoRoom = "no room for it: disk, quota or the bound on one object";

/// An AE title fit for a line of a log: what PS3.5 6.2 allows, no more than 16 characters.
std::string printable(std::string title)
{
    title.resize(std::min<std::size_t>(title.size(), 16));
    for (auto& c : title) {
        if (c < ' ' || c > '~' || c == '\\') c = '?';
    }
    while (!title.empty() && title.back() == ' ') title.pop_back();
    return title;
}

std::string text_of(DcmItem& item, const DcmTagKey& key)
{
    OFString value;
    return item.findAndGetOFString(key, value).good() ? std::string(value.c_str()) : std::string();
}

class Server {
public:
    Server(int socket, const ListenParameters& parameters, const Spool& spool, const NodeLine& node, const Log& log)
        : socket_(socket), parameters_(parameters), spool_(spool), node_(node), log_(log)
    {
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server()
    {
        if (association_) {
            ASC_dropSCPAssociation(association_, 1);
            ASC_destroyAssociation(&association_);
        }
        if (network_) ASC_dropNetwork(&network_);
    }

    std::string serve()
    {
        silence_toolkit();
        dcmExternalSocketHandle.set(socket_);
        dcmSocketReceiveTimeout.set(parameters_.idle_s);
        dcmSocketSendTimeout.set(parameters_.idle_s);
        if (ASC_initializeNetwork(NET_ACCEPTOR, parameters_.port, parameters_.idle_s, &network_).bad()) return "a connection could not be served: no network";
        if (parameters_.tls) {
            auto layer = tls_layer(*parameters_.tls, NET_ACCEPTOR, {});
            if (!layer) return "a connection could not be served: " + layer.error().message;
            layer_ = *std::move(layer);
            if (ASC_setTransportLayer(network_, layer_.get(), 0).bad()) return "a connection could not be served: no TLS";
        }
        const auto received = ASC_receiveAssociation(network_, &association_, parameters_.largest_pdu, nullptr, nullptr, parameters_.tls ? OFTrue : OFFalse, DUL_NOBLOCK, parameters_.negotiation_s);
        if (received.bad() && parameters_.tls) return "a connection brought no association: its certificate is not trusted, it does not speak TLS, or it went away";
        if (received.bad()) return "a connection brought no association: it sent no DICOM, or went away";
        if (const auto why = negotiate(); !why.empty()) return "association from '" + caller_ + "' refused: " + why;
        const auto end = answer();
        return "association of " + caller_ + " " + end + ": " + std::to_string(stored_) + " stored, " + std::to_string(identical_) + " there already, " +
               std::to_string(conflicting_) + " conflicting, " + std::to_string(refused_) + " refused";
    }

private:
    /// Empty where the association stands; else why it was refused.
    std::string negotiate()
    {
        std::array<char, 65> calling{}, called{}, responding{}, context{};
        ASC_getAPTitles(association_->params, calling.data(), calling.size(), called.data(), called.size(), responding.data(), responding.size());
        caller_ = printable(calling.data());
        if (ASC_getApplicationContextName(association_->params, context.data(), context.size()).bad() || std::string_view(context.data()) != UID_StandardApplicationContext) {
            return reject(ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_APPCONTEXTNAMENOTSUPPORTED, "no DICOM application context");
        }
        if (printable(called.data()) != parameters_.ae_title) {
            return reject(ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED, "it called '" + printable(called.data()) + "', not " + parameters_.ae_title);
        }
        if (std::find(parameters_.callers.begin(), parameters_.callers.end(), caller_) == parameters_.callers.end()) {
            return reject(ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED, "this calling AE title is not allowed");
        }
        if (!node_.admitted()) {
            return reject(ASC_RESULT_REJECTEDTRANSIENT, ASC_SOURCE_SERVICEPROVIDER_PRESENTATION_RELATED, ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED,
                          std::to_string(parameters_.most_associations) + " associations are open");
        }
        for (int i = 0; i < ASC_countPresentationContexts(association_->params); ++i) {
            T_ASC_PresentationContext proposed;
            if (ASC_getPresentationContext(association_->params, i, &proposed).bad()) continue;
            accept_or_refuse(proposed);
        }
        if (ASC_acknowledgeAssociation(association_).bad()) return "it went away";
        return {};
    }

    std::string reject(T_ASC_RejectParametersResult result, T_ASC_RejectParametersSource source, T_ASC_RejectParametersReason reason, std::string why)
    {
        const T_ASC_RejectParameters parameters{result, source, reason};
        ASC_rejectAssociation(association_, &parameters);
        return why;
    }

    void accept_or_refuse(const T_ASC_PresentationContext& proposed)
    {
        const auto id = proposed.presentationContextID;
        if (std::string_view(proposed.abstractSyntax) != UID_VerificationSOPClass && !dcmIsaStorageSOPClassUID(proposed.abstractSyntax, ESSC_All)) {
            ASC_refusePresentationContext(association_->params, id, ASC_P_ABSTRACTSYNTAXNOTSUPPORTED);
            return;
        }
        for (int i = 0; i < proposed.transferSyntaxCount; ++i) {
            const std::string_view syntax = proposed.proposedTransferSyntaxes[i];
            if (std::find(kTransferSyntaxes.begin(), kTransferSyntaxes.end(), syntax) == kTransferSyntaxes.end()) continue;
            ASC_acceptPresentationContext(association_->params, id, proposed.proposedTransferSyntaxes[i]);
            return;
        }
        ASC_refusePresentationContext(association_->params, id, ASC_P_TRANSFERSYNTAXESNOTSUPPORTED);
    }

    /// Answers requests until the association ends; says how it ended.
    std::string answer()
    {
        for (;;) {
            T_ASC_PresentationContextID id = 0;
            T_DIMSE_Message message;
            DcmDataset* detail = nullptr;
            auto condition = DIMSE_receiveCommand(association_, DIMSE_NONBLOCKING, parameters_.idle_s, &id, &message, &detail);
            delete detail;
            if (condition == DUL_PEERREQUESTEDRELEASE) {
                ASC_acknowledgeRelease(association_);
                return "released";
            }
            if (condition == DUL_PEERABORTEDASSOCIATION) return "aborted by the peer";
            if (condition.good() && message.CommandField == DIMSE_C_ECHO_RQ) {
                condition = DIMSE_sendEchoResponse(association_, id, &message.msg.CEchoRQ, STATUS_Success, nullptr);
            } else if (condition.good() && message.CommandField == DIMSE_C_STORE_RQ) {
                condition = store(id, message.msg.CStoreRQ);
            } else if (condition.good()) {
                ASC_abortAssociation(association_);
                return "aborted: a request that is neither C-ECHO nor C-STORE";
            }
            if (condition.good()) continue;
            if (condition == DIMSE_NODATAAVAILABLE || condition == DUL_READTIMEOUT) {
                ASC_abortAssociation(association_);
                return "cut off: silent for " + std::to_string(parameters_.idle_s) + " s";
            }
            ASC_abortAssociation(association_);
            return "broken off";
        }
    }

    OFCondition store(T_ASC_PresentationContextID id, T_DIMSE_C_StoreRQ& request)
    {
        const auto file = spool_.incoming(::getpid(), ++received_);
        std::uint64_t bytes = 0;
        T_DIMSE_C_StoreRSP response{};
        const auto condition = receive(id, request, file, bytes, response.DimseStatus);
        if (condition.good() && response.DimseStatus == STATUS_Success) response.DimseStatus = keep(request, file, bytes);
        std::error_code ignored;
        fs::remove(file, ignored);
        if (condition.bad()) return condition;
        response.MessageIDBeingRespondedTo = request.MessageID;
        response.DataSetType = DIMSE_DATASET_NULL;
        OFStandard::strlcpy(response.AffectedSOPClassUID, request.AffectedSOPClassUID, sizeof response.AffectedSOPClassUID);
        OFStandard::strlcpy(response.AffectedSOPInstanceUID, request.AffectedSOPInstanceUID, sizeof response.AffectedSOPInstanceUID);
        response.opts = O_STORE_AFFECTEDSOPCLASSUID | O_STORE_AFFECTEDSOPINSTANCEUID;
        return DIMSE_sendStoreResponse(association_, id, &request, &response, nullptr);
    }

    /// How large a file may grow now: the bound on one object, what the spool may still take, what the disk has to spare.
    std::uint64_t room() const
    {
        struct statvfs disk{};
        if (::statvfs(spool_.folder().c_str(), &disk) != 0) return 0;
        const auto free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
        return std::min({parameters_.largest_object, node_.room(), free > parameters_.keep_free ? free - parameters_.keep_free : 0});
    }

    /// The data set to the file, as it comes. An object that cannot be kept is read to its end all the same, so that the peer gets its answer.
    OFCondition receive(T_ASC_PresentationContextID id, const T_DIMSE_C_StoreRQ& request, const fs::path& file, std::uint64_t& bytes, Uint16& status)
    {
        const auto most = room();
        bool kept = false;
        {
            const FileSizeLimit limit(most + kMetaGroup);
            DcmOutputFileStream* opened = nullptr;
            if (most >= kSmallestRoom) DIMSE_createFilestream(file.c_str(), &request, association_, id, 1, &opened);
            const std::unique_ptr<DcmOutputFileStream> stream(opened);
            kept = stream != nullptr;
            for (DUL_PDV part{}; !part.lastPDV; bytes += part.fragmentLength) {
                if (const auto condition = next_part(id, part); condition.bad()) return condition;
                kept = kept && stream->write(part.data, part.fragmentLength) == static_cast<offile_off_t>(part.fragmentLength);
            }
        }
        if (!kept) status = refuse(STATUS_STORE_Refused_OutOfResources, kNoRoom);
        return EC_Normal;
    }

    /// The next fragment of a data set, from the PDU that is here or the next one.
    OFCondition next_part(T_ASC_PresentationContextID id, DUL_PDV& part)
    {
        if (DUL_NextPDV(&association_->DULassociation, &part).bad()) {
            DUL_PDVLIST list;
            const auto arrived = DUL_ReadPDVs(&association_->DULassociation, &list, DUL_NOBLOCK, parameters_.idle_s);
            if (arrived != DUL_PDATAPDUARRIVED) return arrived.bad() ? arrived : DIMSE_READPDVFAILED;
            if (const auto condition = DUL_NextPDV(&association_->DULassociation, &part); condition.bad()) return condition;
        }
        return part.pdvType == DUL_DATASETPDV && part.presentationContextID == id ? EC_Normal : DIMSE_UNEXPECTEDPDVTYPE;
    }

    Uint16 refuse(Uint16 status, const std::string& why)
    {
        ++refused_;
        log_("object from " + caller_ + " refused: " + why);
        return status;
    }

    /// Checks that the file is whole and what was announced, and gives it its place. Only then is it acknowledged.
    Uint16 keep(const T_DIMSE_C_StoreRQ& request, const fs::path& file, std::uint64_t bytes)
    {
        std::error_code error;
        const auto size = fs::file_size(file, error);
        if (error || size < bytes) return refuse(STATUS_STORE_Refused_OutOfResources, kNoRoom);
        DcmFileFormat object;
        if (object.loadFile(file.c_str(), EXS_Unknown, EGL_noChange, kLargestValueRead).bad()) return refuse(STATUS_STORE_Error_CannotUnderstand, "its data set is damaged or ends early");
        auto& data = *object.getDataset();
        const ObjectName name{text_of(data, DCM_StudyInstanceUID), text_of(data, DCM_SeriesInstanceUID), text_of(data, DCM_SOPInstanceUID)};
        if (!is_uid(name.study_uid) || !is_uid(name.series_uid) || !is_uid(name.sop_uid)) return refuse(STATUS_STORE_Error_CannotUnderstand, "it has no valid study, series or SOP Instance UID");
        if (name.sop_uid != request.AffectedSOPInstanceUID || text_of(data, DCM_SOPClassUID) != request.AffectedSOPClassUID) {
            return refuse(STATUS_STORE_Error_DataSetDoesNotMatchSOPClass, "it is not the object that was announced");
        }
        object.clear();
        node_.arriving(name.study_uid);
        const auto placed = spool_.place(file, name);
        if (!placed) return refuse(placed.error().code == Code::conflicting_duplicate ? STATUS_N_DuplicateSOPInstance : STATUS_STORE_Refused_OutOfResources, placed.error().message);
        if (*placed == Placed::identical) return ++identical_, STATUS_Success;
        if (*placed != Placed::conflicting_again) node_.stored(size);
        if (*placed == Placed::stored) return ++stored_, STATUS_Success;
        ++conflicting_;
        log_("study " + log_key(name.study_uid) + ": an object differs from the one kept under its SOP Instance UID; both are kept, and the study says so");
        return STATUS_N_DuplicateSOPInstance;
    }

    int socket_;
    const ListenParameters& parameters_;
    const Spool& spool_;
    const NodeLine& node_;
    const Log& log_;
    std::unique_ptr<DcmTLSTransportLayer> layer_;
    T_ASC_Network* network_ = nullptr;
    T_ASC_Association* association_ = nullptr;
    std::string caller_;
    int received_ = 0;
    int stored_ = 0;
    int identical_ = 0;
    int conflicting_ = 0;
    int refused_ = 0;
};

}  // namespace

Status check_tls(const Tls& tls)
{
    silence_toolkit();
    const auto layer = tls_layer(tls, NET_ACCEPTOR, {});
    return layer ? Status(Done{}) : Status(layer.error());
}

std::string serve_association(int socket, const ListenParameters& parameters, const Spool& spool, const NodeLine& node, const Log& log)
{
    return Server(socket, parameters, spool, node, log).serve();
}

}  // namespace retromass::pacs
