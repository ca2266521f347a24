#include <nlohmann/json.hpp>

#include <algorithm>
#include <new>

#include "pipeline/outputs/case_folder.h"
#include "pipeline/outputs/event_log.h"
#include "pipeline/outputs/json.h"
#include "pipeline/outputs/moving.h"
#include "pipeline/outputs/objects.h"
#include "pipeline/outputs/rectified.h"
#include "pipeline/outputs/report.h"
#include "pipeline/outputs/signatures.h"
#include "pipeline/outputs/standing.h"
#include "pipeline/outputs/verify.h"
#include "pipeline/outputs/words.h"

namespace retromass::outputs {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// Only what this program wrote of the same case is ever replaced: a mistyped path must not cost a folder of something else, nor make one
/// patient's report the predecessor of another's. What is replaced is kept, so a case whose people are hidden replaces no other kind.
Status check_target(const fs::path& folder, const CaseResult& result, bool overwrite)
{
    std::error_code error;
    if (!fs::exists(fs::symlink_status(folder, error))) return Done{};
    const auto refuse = [&](const std::string& why) { return Error{Code::output_exists, folder.string() + " " + why + "; choose another name", "outputs: write_case"}; };
    if (!overwrite) return Error{Code::output_exists, folder.string() + " exists; choose another name or allow overwriting", "outputs: write_case"};
    const bool ours = fs::is_directory(folder, error) && (fs::is_empty(folder, error) || (fs::exists(folder / "case.json", error) && fs::exists(folder / "provenance.json", error)));
    if (!ours) return refuse("is not a finished case and is not replaced");
    if (fs::is_empty(folder, error)) return Done{};
    const auto written = ordered_json::parse(text_of_file(folder / "case.json"), nullptr, false);
    const auto stated = [&](const char* key) { return written.is_object() && written.contains(key) ? written[key] : ordered_json(); };
    if (stated("case") != result.case_id) return refuse("holds another case than " + result.case_id + " and is not replaced");
    if (stated("deidentified") != result.hiding.has_value()) return refuse(result.hiding ? "holds the case with its names, which would be kept in it, and is not replaced" : "holds the case de-identified and is not replaced");
    return Done{};
}

/// Writes one case into a folder that exists, noting each step.
class CaseWriter {
public:
    CaseWriter(fs::path folder, fs::path previous, const CaseResult& result, const WriteParameters& parameters, const Progress& progress)
        : folder_(std::move(folder)), previous_(std::move(previous)), result_(result), parameters_(parameters), progress_(progress)
    {
    }

    /// Answers what signed reports are signed no longer.
    Result<std::vector<Notice>> write()
    {
        for (const char* name : {"masks", "dicom", "images"}) {
            std::error_code error;
            fs::create_directories(folder_ / name, error);
            if (error) return io_error("cannot create a folder in " + folder_.string(), error);
        }
        pictures_.folder = folder_ / "images";
        ordered_json started{{"case", result_.case_id}, {"command", parameters_.command}};
        if (!result_.assessment.protocol.empty()) started["protocol"] = result_.assessment.protocol;
        note("case-started", started);
        const double count = static_cast<double>(result_.timepoints.size()) + 1;
        for (std::size_t i = 0; i < result_.timepoints.size(); ++i) {
            step_ = result_.timepoints[i].id;
            done_ = static_cast<double>(i) / count;
            RETROMASS_TRY(wanted());
            RETROMASS_TRY(write_timepoint(result_.timepoints[i]));
        }
        step_ = "report";
        done_ = 1 - 1 / count;
        RETROMASS_TRY(wanted());
        for (const auto& period : result_.assessment.criteria) {
            for (const auto& point : period.timepoints) {
                note("assessed", {{"timepoint", point.timepoint}, {"line", period.line}, {"criterion", period.criterion}, {"category", name(point.decision.category)}, {"rule", point.decision.rule}});
            }
        }
        for (const auto& row : result_.assessment.recist) {
            note("assessed", {{"timepoint", row.timepoint}, {"line", row.line}, {"criterion", row.overall.criterion}, {"category", name(row.overall.category)}, {"rule", row.overall.rule}});
        }
        const auto written = case_json(result_);
        RETROMASS_TRY(write_text(folder_ / "case.json", written));
        RETROMASS_TRY(write_text(folder_ / "measurements.csv", measurements_csv(result_)));
        RETROMASS_TRY(write_text(folder_ / "response.csv", response_csv(result_)));
        RETROMASS_TRY(write_text(folder_ / "spider.csv", spider_csv({result_.assessment})));
        RETROMASS_TRY(write_text(folder_ / "waterfall.csv", waterfall_csv({result_.assessment})));
        for (const auto& lesion : result_.lesions) {
            RETROMASS_TRY(wanted());
            RETROMASS_TRY_ASSIGN(auto sheet, write_sheet(folder_ / "images", result_, lesion.id));
            pictures_.sheets.merge(sheet);
        }
        RETROMASS_TRY(wanted());
        draw_surfaces();
        const auto document = report_document(result_, pictures_);
        RETROMASS_TRY(wanted());
        std::vector<Preview> previews;
        if (has_viewer()) {
            RETROMASS_TRY_ASSIGN(previews, previews_of(result_, folder_));
        }
        RETROMASS_TRY_ASSIGN(const auto page, html_of(document, pictures_, moving_parts(result_, previews, sha256_of_text(written))));
        RETROMASS_TRY(write_text(folder_ / "report.html", page));
        RETROMASS_TRY(write_paper(document));
        RETROMASS_TRY(keep_superseded());
        RETROMASS_TRY(put_signatures(folder_, signatures_, voided_));
        note("case-written", {{"case", result_.case_id}, {"result", sha256_of_text(written)}});
        RETROMASS_TRY(write_text(folder_ / "events.jsonl", log_.text()));
        RETROMASS_TRY(write_provenance());
        RETROMASS_TRY(show_standing(folder_));  // what readers said of this very result before holds still; the page is listed as it was without
        std::vector<Notice> out;
        for (const auto& [timepoint, why] : voided_) out.push_back({Code::unreviewed, "time point " + timepoint + ": " + why});
        if (!pictures_.no_surfaces.empty()) out.push_back({Code::no_display, "3-D pictures are left out of the report: " + pictures_.no_surfaces});
        return out;
    }

private:
    /// Asked between objects: each takes a good part of a second on a large study.
    Status wanted() const
    {
        if (!goes_on(progress_, step_, done_)) return Error{Code::cancelled, "cancelled while writing", "outputs: write_case"};
        return Done{};
    }

    void note(const char* event, const ordered_json& more)
    {
        log_.note(parameters_.timestamp, event, more);
    }

    /// Surfaces are for the eye alone: without them the case is whole, and the report says why.
    void draw_surfaces()
    {
        if (!parameters_.draw_surfaces) return;
        std::vector<SurfaceFile> files;
        std::map<std::string, std::string> drawn;
        for (const auto& timepoint : result_.timepoints) {
            for (const auto& lesion : timepoint.lesions) {
                if (!timepoint.ct || !lesion.mask || !lesion.measurements) continue;
                const auto stem = stem_of(timepoint, lesion);
                drawn[stem] = stem + "-surface.png";
                files.push_back({lesion.lesion, timepoint.id, pictures_.folder / drawn[stem]});
            }
        }
        if (files.empty()) return;
        if (const auto done = parameters_.draw_surfaces(result_, files); !done) {
            std::error_code ignored;
            for (const auto& left : files) fs::remove(left.file, ignored);
            pictures_.no_surfaces = done.error().message;
            return note("surfaces-left-out", {{"reason", pictures_.no_surfaces}});
        }
        pictures_.surfaces = std::move(drawn);
        note("surfaces-drawn", {{"pictures", files.size()}});
    }

    Status write_timepoint(const TimepointResult& timepoint)
    {
        std::vector<const LesionResult*> drawn;
        for (const auto& lesion : timepoint.lesions) {
            ordered_json more{{"timepoint", timepoint.id}, {"lesion", lesion.lesion}, {"status", name(lesion.status)}, {"review_state", lesion.review_state}};
            if (!lesion.reviewer.empty()) more["reader"] = lesion.reviewer;
            if (!lesion.reason.empty()) more["reason"] = lesion.reason;
            if (lesion.mask && timepoint.ct) {
                drawn.push_back(&lesion);
                more["mask_sha256"] = sha256_of_text({reinterpret_cast<const char*>(lesion.mask->data()), lesion.mask->values().size()});
            }
            note(lesion.measurements ? "measured" : "status", more);
        }
        for (const auto* lesion : drawn) {
            RETROMASS_TRY(wanted());
            const auto stem = stem_of(timepoint, *lesion);
            if (timepoint.ct->volume.geometry.uniform()) {  // uneven slices: the SEG alone holds them (docs/clinical.md 3.1)
                RETROMASS_TRY(write_nifti(folder_ / "masks" / (stem + ".nii.gz"), *lesion->mask, timepoint.ct->volume.geometry));
            }
            if (!lesion->measurements) continue;
            RETROMASS_TRY(wanted());
            RETROMASS_TRY_ASSIGN(auto names, write_key_images(folder_ / "images", stem, result_, timepoint, *lesion));
            pictures_.of[stem] = std::move(names);
        }
        if (!timepoint.ct || timepoint.ct->slices.empty()) return Done{};
        return write_objects(timepoint, drawn);
    }

    /// The DICOM objects of one time point, each read back before the next refers to it.
    Status write_objects(const TimepointResult& timepoint, const std::vector<const LesionResult*>& drawn)
    {
        ObjectParameters parameters;
        parameters.uid_root = result_.uid_root;
        parameters.hiding = result_.hiding;
        parameters.protocol = result_.assessment.protocol;
        parameters.owner = result_.case_id + " " + timepoint.id;
        parameters.review_state = review_state_of(timepoint);
        const auto file = [&](const char* kind) { return folder_ / "dicom" / (file_name_of(timepoint.id) + "-" + kind + ".dcm"); };
        std::optional<ObjectReference> seg;
        std::vector<std::string> segmented;
        if (!drawn.empty()) {
            const auto segments = descriptions_of(drawn);
            RETROMASS_TRY_ASSIGN(seg, write_masks(file("seg"), file("rtstruct"), timepoint, drawn, segments, parameters));
            RETROMASS_TRY(write_rectified(file("seg-rectified"), timepoint, drawn, segments, parameters));
            RETROMASS_TRY(write_probabilities(file("probability"), timepoint, drawn, segments, parameters));
            RETROMASS_TRY(write_captures(timepoint, drawn, parameters));
            for (const auto* lesion : drawn) segmented.push_back(lesion->lesion);
        }
        const auto sr = file("sr");
        RETROMASS_TRY(wanted());
        RETROMASS_TRY_ASSIGN(const auto report, write_or_keep_report(sr, timepoint, segmented, seg, parameters));
        RETROMASS_TRY(verify_report(sr, timepoint));
        note("sr-verified", {{"timepoint", timepoint.id}, {"sop_instance_uid", report.sop_instance_uid}});
        return Done{};
    }

    /// The report; where it comes out as the one that a reader signed, the signed one stays.
    Result<ObjectReference> write_or_keep_report(const fs::path& file, const TimepointResult& timepoint, const std::vector<std::string>& segmented, const std::optional<ObjectReference>& seg,
                                                 const ObjectParameters& parameters)
    {
        const auto write = [&](const ObjectParameters& p) { return write_report(file, result_, timepoint, segmented, seg, p); };
        const auto signature = before_.find(timepoint.id);
        if (signature == before_.end()) return superseding(file, parameters, write);
        const auto& s = signature->second;
        const auto unsigned_one = identity_of(previous_ / s["replaces"]["file"].get<std::string>());
        const auto signed_one = identity_of(previous_ / "dicom" / file.filename());
        if (unsigned_one && signed_one) {
            auto as_then = parameters;
            as_then.predecessor = unsigned_one->predecessor;
            RETROMASS_TRY_ASSIGN(const auto written, write(as_then));
            if (written.sop_instance_uid == unsigned_one->self.sop_instance_uid) {
                std::error_code error;
                fs::copy_file(previous_ / "dicom" / file.filename(), file, fs::copy_options::overwrite_existing, error);
                if (error) return io_error("cannot keep the signed report " + file.filename().string(), error);
                signatures_[timepoint.id] = s;
                return signed_one->self;
            }
        }
        voided_[timepoint.id] = "the signature of " + s["reader"].get<std::string>() + " of " + s["time"].get<std::string>() + " no longer holds: the result changed after it";
        note("signature-void", {{"timepoint", timepoint.id}, {"reader", s["reader"]}, {"sop_instance_uid", s["sop_instance_uid"]}});
        return superseding(file, parameters, write);
    }

    /// Writes an object that names the one it replaces: where it came out otherwise than before it is another instance, and the one before is its predecessor.
    template <class Write>
    Result<ObjectReference> superseding(const fs::path& file, ObjectParameters parameters, Write write) const
    {
        const auto before = identity_of(previous_ / "dicom" / file.filename());
        if (before) parameters.predecessor = before->predecessor;
        RETROMASS_TRY_ASSIGN(auto written, write(parameters));
        if (!before || written.sop_instance_uid == before->self.sop_instance_uid) return written;
        parameters.predecessor = before->self;
        return write(parameters);
    }

    std::vector<SegDescription> descriptions_of(const std::vector<const LesionResult*>& drawn) const
    {
        std::vector<SegDescription> segments;
        for (const auto* lesion : drawn) {
            SegDescription segment;
            segment.lesion = lesion->lesion;
            segment.tracking_uid = lesion->tracking_uid;
            for (const auto& known : result_.lesions) {
                if (known.id == lesion->lesion) segment.site = known.site;
            }
            segments.push_back(segment);
        }
        return segments;
    }

    Result<ObjectReference> write_masks(const fs::path& seg_file, const fs::path& contour_file, const TimepointResult& timepoint, const std::vector<const LesionResult*>& drawn,
                                        const std::vector<SegDescription>& segments, const ObjectParameters& parameters)
    {
        std::vector<const Mask*> masks;
        for (const auto* lesion : drawn) masks.push_back(&*lesion->mask);
        RETROMASS_TRY(wanted());
        RETROMASS_TRY_ASSIGN(auto seg, write_seg(seg_file, *timepoint.ct, masks, segments, parameters));
        RETROMASS_TRY(wanted());
        RETROMASS_TRY(verify_seg(seg_file, timepoint, drawn));
        note("seg-verified", {{"timepoint", timepoint.id}, {"segments", masks.size()}, {"sop_instance_uid", seg.sop_instance_uid}});
        RETROMASS_TRY(wanted());
        RETROMASS_TRY_ASSIGN(const auto contours, superseding(contour_file, parameters, [&](const ObjectParameters& p) { return write_structure_set(contour_file, *timepoint.ct, masks, segments, p); }));
        RETROMASS_TRY(wanted());
        RETROMASS_TRY(verify_structure_set(contour_file, timepoint, drawn));
        note("rtstruct-verified", {{"timepoint", timepoint.id}, {"sop_instance_uid", contours.sop_instance_uid}});
        return seg;
    }

    /// Beside the SEG of a leaning or uneven stack one that every viewer takes, and what it differs by.
    Status write_rectified(const fs::path& file, const TimepointResult& timepoint, const std::vector<const LesionResult*>& drawn, const std::vector<SegDescription>& segments, const ObjectParameters& parameters)
    {
        std::vector<const Mask*> masks;
        for (const auto* lesion : drawn) masks.push_back(&*lesion->mask);
        RETROMASS_TRY(wanted());
        const auto upright = rectified(*timepoint.ct, masks);
        if (!upright) return Done{};
        masks.clear();
        for (const auto& mask : upright->masks) masks.push_back(&mask);
        RETROMASS_TRY_ASSIGN(const auto written, write_rectified_seg(file, upright->ct, masks, segments, parameters));
        RETROMASS_TRY_ASSIGN(const auto labels, ingest::read_labels(file));
        auto& words = pictures_.remarks[timepoint.id];
        words = "The slices lean or lie at several distances. " + file_name_of(timepoint.id) + "-seg.dcm keeps them as they were acquired: viewers that lay it over the CT image by image show it, those that make one "
                "right-angled volume of it (3D Slicer, dcmqi) refuse it or show it askew. " + file.filename().string() + " is the same on a right-angled grid for them; measure on the former. Volumes of both:";
        for (std::size_t i = 0; i < drawn.size(); ++i) {
            RETROMASS_TRY_ASSIGN(const auto read, ingest::mask_on_grid(labels, static_cast<int>(i + 1), upright->ct.volume.geometry));
            for (std::size_t v = 0; v < read.values().size(); ++v) {
                if ((read[v] != 0) != (upright->masks[i][v] != 0)) return Error{Code::verification_failed, "time point " + timepoint.id + ", lesion " + drawn[i]->lesion + ": the rectified SEG, read back, differs from its mask", "outputs: write_case"};
            }
            RETROMASS_TRY_ASSIGN(const auto now, measurement::measure(read, upright->ct.volume.geometry, nullptr));
            words += " " + drawn[i]->lesion + " " + fixed(now.volume_ml, 2) + " ml (native " + (drawn[i]->measurements ? fixed(drawn[i]->measurements->volume_ml, 2) : std::string("not measured")) + " ml);";
        }
        words.back() = '.';
        note("seg-rectified-verified", {{"timepoint", timepoint.id}, {"sop_instance_uid", written.sop_instance_uid}});
        return Done{};
    }

    Status write_probabilities(const fs::path& file, const TimepointResult& timepoint, const std::vector<const LesionResult*>& drawn, const std::vector<SegDescription>& segments,
                               const ObjectParameters& parameters)
    {
        std::vector<const ProbabilityMap*> maps;
        std::vector<SegDescription> described;
        for (std::size_t i = 0; i < drawn.size(); ++i) {
            if (!drawn[i]->probability) continue;
            maps.push_back(&*drawn[i]->probability);
            described.push_back(segments[i]);
        }
        if (maps.empty()) return Done{};
        RETROMASS_TRY(wanted());
        RETROMASS_TRY(write_probability_seg(file, *timepoint.ct, maps, described, parameters));
        return Done{};
    }

    Status write_captures(const TimepointResult& timepoint, const std::vector<const LesionResult*>& drawn, const ObjectParameters& parameters)
    {
        int number = 0;
        for (const auto* lesion : drawn) {
            const auto found = pictures_.of.find(stem_of(timepoint, *lesion));
            if (found == pictures_.of.end()) continue;
            for (const auto& name : found->second) {
                RETROMASS_TRY(wanted());
                RETROMASS_TRY_ASSIGN(const auto picture, read_picture(folder_ / "images" / name));
                const auto file = folder_ / "dicom" / fs::path(name).replace_extension(".dcm");
                RETROMASS_TRY(write_capture(file, *timepoint.ct, picture, "RESEARCH " + lesion->lesion + ", " + timepoint.id + ", " + parameters.review_state, ++number, parameters));
            }
        }
        return Done{};
    }

    /// The report on paper, and in the study of the last time point that has a CT.
    Status write_paper(const Document& document)
    {
        const auto pdf = folder_ / "report.pdf";
        std::string date = "1900-01-01";  // of the last study, not the clock's: the same bytes at every run
        for (const auto& timepoint : result_.timepoints) {
            if (timepoint.date) date = iso(*timepoint.date);
        }
        RETROMASS_TRY(write_pdf(pdf, document, pictures_, date));
        const TimepointResult* last = nullptr;
        for (const auto& timepoint : result_.timepoints) {
            if (timepoint.ct && !timepoint.ct->slices.empty()) last = &timepoint;
        }
        if (!last) return Done{};
        ObjectParameters parameters;
        parameters.uid_root = result_.uid_root;
        parameters.hiding = result_.hiding;
        parameters.protocol = result_.assessment.protocol;
        parameters.owner = result_.case_id;
        parameters.review_state = review_state_of(result_);
        const auto file = folder_ / "dicom" / "report.dcm";
        RETROMASS_TRY(superseding(file, parameters, [&](const ObjectParameters& p) { return write_encapsulated_pdf(file, *last->ct, pdf, "RESEARCH tumour response, " + p.review_state, p); }));
        return Done{};
    }

    /// What a corrected object replaces is kept under its instance's name: an object that was sent somewhere is never lost here.
    Status keep_superseded()
    {
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(previous_ / "dicom", error)) {
            if (!entry.is_regular_file()) continue;
            RETROMASS_TRY_ASSIGN(const auto old, sha256_of_file(entry.path()));
            const auto now = folder_ / "dicom" / entry.path().filename();
            if (fs::exists(now)) {
                RETROMASS_TRY_ASSIGN(const auto same, sha256_of_file(now));
                if (same == old) continue;
            }
            RETROMASS_TRY_ASSIGN(const auto name, outputs::keep_superseded(entry.path(), folder_));
            note("superseded", {{"file", name}});
        }
        for (const auto& entry : fs::directory_iterator(previous_ / "dicom" / "superseded", error)) {
            fs::create_directories(folder_ / "dicom" / "superseded", error);
            if (!error) fs::copy_file(entry.path(), folder_ / "dicom" / "superseded" / entry.path().filename(), fs::copy_options::overwrite_existing, error);
            if (error) return io_error("cannot keep " + entry.path().filename().string(), error);
        }
        return Done{};
    }

    Status write_provenance()
    {
        ordered_json out{{"schema", "retromass/1"}, {"program", "retromass"}, {"version", RETROMASS_VERSION}, {"command", parameters_.command}, {"timestamp", parameters_.timestamp},
                         {"case", result_.case_id}, {"synthetic", result_.synthetic}};
        out["settings"] = ordered_json::object();
        for (const auto& [setting, value] : result_.settings) out["settings"][setting] = out["settings"].contains(setting) ? out["settings"][setting].get<std::string>() + ", " + value : value;
        out["policies"] = ordered_json::object();
        for (const auto& [policy, value] : result_.assessment.policies) out["policies"][policy] = value;
        out["inputs"] = ordered_json::array();
        for (const auto& [input, hash] : result_.inputs) out["inputs"].push_back({{"input", input}, {"sha256", hash}});
        RETROMASS_TRY_ASSIGN(out["outputs"], outputs_listed(folder_));
        return write_text(folder_ / "provenance.json", out.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
    }

    fs::path folder_;
    fs::path previous_;  ///< the case that is replaced; need not be there
    const CaseResult& result_;
    const WriteParameters& parameters_;
    const Progress& progress_;
    std::string step_;
    double done_ = 0;
    Pictures pictures_;
    EventLog log_{text_of_file(previous_ / "events.jsonl")};  ///< goes on from the case that is replaced
    Signatures before_ = signatures_in(previous_);
    Signatures signatures_;
    Voided voided_;
};

}  // namespace

Result<std::vector<Notice>> write_case(const fs::path& folder, const CaseResult& result, const WriteParameters& parameters, const Progress& progress)
{
    auto target = folder.lexically_normal();
    if (!target.has_filename()) target = target.parent_path();
    if (target.empty() || target.filename() == "." || target.filename() == "..") return Error{Code::usage, "the output needs a folder name of its own", "outputs: write_case"};
    RETROMASS_TRY(check_target(target, result, parameters.overwrite));
    try {  // the file system and JSON libraries throw; nothing leaves this door
        std::error_code error;
        if (target.has_parent_path()) fs::create_directories(target.parent_path(), error);
        PartialFolder partial(beside(target, "partial"));
        fs::remove_all(partial.path(), error);
        fs::create_directory(partial.path(), error);
        if (error) return io_error("cannot create " + partial.path().string(), error);
        RETROMASS_TRY_ASSIGN(auto notices, CaseWriter(partial.path(), target, result, parameters, progress).write());
        RETROMASS_TRY(check_target(target, result, parameters.overwrite));
        RETROMASS_TRY(move_into_place(partial, target));
        return notices;
    } catch (const std::bad_alloc&) {
        return Error{Code::memory, "there is not enough memory to write the case", "outputs: write_case"};
    } catch (const std::exception& thrown) {
        return Error{Code::io, std::string("writing the case failed: ") + thrown.what(), "outputs: write_case"};
    }
}

}  // namespace retromass::outputs
