#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcuid.h>

#include <algorithm>
#include <set>

#include "pipeline/pacs/dcmtk/association.h"
#include "pipeline/pacs/dcmtk/move_receiver.h"
#include "pipeline/pacs/dcmtk/storage_classes.h"

namespace retromass::pacs {
namespace {

const std::vector<std::string> kPlain{UID_LittleEndianExplicitTransferSyntax, UID_LittleEndianImplicitTransferSyntax};

constexpr const char* kMoveHint = "; if it does C-MOVE, give move_port in the profile";

bool uncompressed(const std::string& syntax) { return std::find(kPlain.begin(), kPlain.end(), syntax) != kPlain.end(); }

class DimsePeer final : public Peer {
public:
    explicit DimsePeer(const Profile& profile) : profile_(profile) {}

    Result<std::vector<Attributes>> query(Depth depth, const Attributes& keys, const Progress& progress) override
    {
        const std::string model = depth == Depth::patient ? UID_FINDPatientRootQueryRetrieveInformationModel : UID_FINDStudyRootQueryRetrieveInformationModel;
        if (!asking_ || asked_model_ != model) {
            asking_ = std::make_unique<Association>(profile_);
            asked_model_ = model;
            const auto opened = asking_->open({{model, kPlain}});
            if (!opened) {
                asking_.reset();
                return opened.error();
            }
        }
        auto found = asking_->find(model, depth, keys, progress);
        if (!found) asking_.reset();
        return found;
    }

    Status fetch(const Wanted& wanted, Inbox& inbox) override
    {
        asking_.reset();
        if (!gives_nothing_) {
            const auto before = inbox.received();
            const auto got = get(wanted, inbox);
            // Peers that do no C-GET refuse the context, answer with a failure, or just drop the association.
            const bool refused = !got && (got.error().code == Code::peer_refused || got.error().code == Code::network);
            gives_nothing_ = refused && inbox.received() == before && profile_.move_port != 0;
            if (!gives_nothing_) return got;
        }
        return move(wanted, inbox);
    }

    Status store(std::span<Outgoing> objects, const Progress& progress) override
    {
        for (std::size_t first = 0; first < objects.size();) {
            // One context for each class in each encoding, so that nothing is converted that the peer takes as it is; as many objects as one
            // association's contexts allow.
            std::set<std::pair<std::string, std::string>> contexts;
            std::size_t end = first;
            for (; end < objects.size() && contexts.size() + kPlain.size() <= kMostContexts; ++end) {
                const auto& header = objects[end].header;
                for (const auto& syntax : uncompressed(header.transfer_syntax) ? kPlain : std::vector{header.transfer_syntax}) contexts.insert({header.sop_class_uid, syntax});
            }
            RETROMASS_TRY(store_some(objects.subspan(first, end - first), contexts, progress));
            first = end;
        }
        return Done{};
    }

private:
    /// Keys of the retrieval: the whole series, or its instances by name.
    static std::pair<Depth, Attributes> keys_of(const Wanted& wanted, std::size_t first, std::size_t count)
    {
        Attributes keys{{tag::study_instance_uid, wanted.study_instance_uid}, {tag::series_instance_uid, wanted.series_instance_uid}};
        if (wanted.whole_series) return {Depth::series, keys};
        std::string names;
        for (std::size_t i = first; i < first + count; ++i) names += (names.empty() ? "" : "\\") + wanted.instances[i];
        keys[tag::sop_instance_uid] = names;
        return {Depth::image, keys};
    }

    /// Asks once for a whole series, else in lists that fit every peer's buffer.
    template <class Ask>
    static Status ask(const Wanted& wanted, const Ask& retrieve)
    {
        constexpr std::size_t kAtOnce = 64;
        const std::size_t step = wanted.whole_series ? wanted.instances.size() : kAtOnce;
        Status last = Done{};
        for (std::size_t first = 0; first < wanted.instances.size(); first += step) {
            const auto [depth, keys] = keys_of(wanted, first, std::min(step, wanted.instances.size() - first));
            const Status done = retrieve(depth, keys);
            if (!done) last = done;
            if (!done && done.error().code != Code::peer_refused) break;
        }
        return last;
    }

    Status get(const Wanted& wanted, Inbox& inbox)
    {
        const std::string model = UID_GETStudyRootQueryRetrieveInformationModel;
        std::vector<Context> contexts{{model, kPlain}};
        // One context an encoding: the peer then need not convert what it holds in another one.
        for (const auto& storage : storage_classes(wanted)) {
            for (const auto& syntax : kept_transfer_syntaxes()) {
                if (contexts.size() < kMostContexts) contexts.push_back({storage, {syntax}, true});
            }
        }
        Association association(profile_);
        RETROMASS_TRY(association.open(contexts));
        if (!association.accepts(model)) return Error{Code::peer_refused, profile_.called_ae + " offers no C-GET" + kMoveHint, "pacs: dimse"};
        return ask(wanted, [&](Depth depth, const Attributes& keys) { return association.get(model, depth, keys, inbox); });
    }

    Status move(const Wanted& wanted, Inbox& inbox)
    {
        const std::string model = UID_MOVEStudyRootQueryRetrieveInformationModel;
        MoveReceiver receiver(profile_, inbox);
        RETROMASS_TRY(receiver.start(wanted));
        Association association(profile_);
        RETROMASS_TRY(association.open({{model, kPlain}}));
        return ask(wanted, [&](Depth depth, const Attributes& keys) { return association.move(model, depth, keys, inbox); });
    }

    Status store_some(std::span<Outgoing> objects, const std::set<std::pair<std::string, std::string>>& needed, const Progress& progress)
    {
        if (std::all_of(objects.begin(), objects.end(), [](const Outgoing& object) { return object.settled; })) return Done{};
        std::vector<Context> contexts;
        for (const auto& [storage, syntax] : needed) contexts.push_back({storage, {syntax}});
        Association association(profile_);
        RETROMASS_TRY(association.open(contexts));
        for (std::size_t i = 0; i < objects.size(); ++i) {
            if (!goes_on(progress, "sending", static_cast<double>(i) / static_cast<double>(objects.size()))) return Error{Code::cancelled, "stopped on request", "pacs: send"};
            if (!objects[i].settled) RETROMASS_TRY(association.store(objects[i]));
        }
        return Done{};
    }

    const Profile& profile_;
    std::unique_ptr<Association> asking_;
    std::string asked_model_;
    bool gives_nothing_ = false;  ///< over C-GET, but may send
};

}  // namespace

std::vector<std::string> storage_classes(const Wanted& wanted)
{
    if (!wanted.sop_classes.empty()) return {wanted.sop_classes.begin(), wanted.sop_classes.end()};
    return {UID_CTImageStorage, UID_EnhancedCTImageStorage, UID_SegmentationStorage, UID_Comprehensive3DSRStorage, UID_ComprehensiveSRStorage, UID_EnhancedSRStorage,
            UID_RTStructureSetStorage, UID_GrayscaleSoftcopyPresentationStateStorage, UID_SecondaryCaptureImageStorage, UID_EncapsulatedPDFStorage};
}

std::unique_ptr<Peer> dimse_peer(const Profile& profile) { return std::make_unique<DimsePeer>(profile); }

}  // namespace retromass::pacs
