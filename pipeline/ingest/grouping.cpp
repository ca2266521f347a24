#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "core/units.h"
#include "pipeline/ingest/header.h"
#include "pipeline/ingest/hounsfield.h"
#include "pipeline/ingest/phases.h"
#include "pipeline/ingest/pixels.h"

namespace retromass::ingest {
namespace {

constexpr double kSameOrientation = 1e-3;       // per component (docs/stages/ingest.md)
constexpr double kSamePixelSpacing_mm = 1e-4;   // rounding of DS strings
constexpr double kOrthogonal = 0.1;             // cosine: a scout lies across the stack
constexpr std::size_t kLone = 3;                // fewer images of another orientation are no stack of their own

bool near(PatientPoint a, PatientPoint b) { return std::abs(a.x - b.x) < kSameOrientation && std::abs(a.y - b.y) < kSameOrientation && std::abs(a.z - b.z) < kSameOrientation; }

bool placed(const Header& h) { return h.position && h.column_step && h.row_step && h.column_spacing_mm && h.row_spacing_mm; }

/// Content decides every order; the file's name only which of two equal images is called the duplicate.
bool in_order(const Header* a, const Header* b)
{
    if (const int by_uid = a->source.sop_instance_uid.compare(b->source.sop_instance_uid); by_uid != 0) return by_uid < 0;
    if (a->source.frame != b->source.frame) return a->source.frame < b->source.frame;
    return a->source.file.native() < b->source.file.native();
}

/// What any of the images states of the patient; nothing where two contradict each other.
std::optional<PatientIdentity> patient_of(const Images& images)
{
    PatientIdentity all;
    for (const auto* h : images) {
        const auto& one = h->facts.patient;
        if (one == all) continue;
        if (!contradiction(all, one).empty()) return std::nullopt;
        for (const auto field : {&PatientIdentity::id, &PatientIdentity::issuer, &PatientIdentity::birth_date, &PatientIdentity::sex}) {
            if (all.*field == 0) all.*field = one.*field;
        }
    }
    return all;
}

/// One grouping of a whole scan: what is set aside on the way, and the pixels compared.
class Grouping {
public:
    Grouping(std::vector<Exclusion> excluded, const ScanParameters& parameters, const Progress& progress)
        : parameters_(parameters), progress_(progress)
    {
        for (auto& e : excluded) exclude(e.file, e.code, std::move(e.text), std::move(e.study_instance_uid));
    }

    std::optional<Exclusion> unfit(const Header& h) const;
    std::vector<SeriesCandidate> volumes_of(Images images);
    std::vector<Exclusion> excluded() &&;
    void exclude(const std::filesystem::path& file, Code code, std::string text, std::string study_uid = {})
    {
        excluded_.emplace(std::pair{file.native(), code}, std::pair{std::move(text), std::move(study_uid)});
    }
    bool cancelled() const { return cancelled_; }

private:
    std::vector<SeriesCandidate> of_kind(Images images, std::vector<Notice> notices);
    std::vector<SeriesCandidate> of_frame(const Images& images, std::vector<Notice> notices);
    std::vector<SeriesCandidate> of_orientation(Images images, std::vector<Notice> notices);
    std::optional<Images> set_aside_broken(Images& images, std::vector<Notice>& notices);
    std::optional<std::pair<Code, std::string>> set_aside_unlike(Images& images, std::vector<Notice>& notices);
    const Header* contradicted(const Images& images);
    bool same_image(const Header& a, const Header& b);
    std::string digest(const Header& h);

    const ScanParameters& parameters_;
    const Progress& progress_;
    std::map<std::pair<std::string, Code>, std::pair<std::string, std::string>> excluded_;  ///< file and code -> why, and the study's UID
    std::map<const Header*, std::string> digests_;
    SliceDecoder decoder_;
    bool cancelled_ = false;
};

std::vector<Exclusion> Grouping::excluded() &&
{
    std::vector<Exclusion> out;
    for (auto& [key, what] : excluded_) out.push_back({key.first, key.second, std::move(what.first), std::move(what.second)});
    return out;
}

/// Why an image is no slice of a volume, if it is none.
std::optional<Exclusion> Grouping::unfit(const Header& h) const
{
    const auto out = [&](Code code, std::string why) { return Exclusion{h.source.file, code, std::move(why)}; };
    const auto& type = h.facts.image_type;
    const auto says = [&](const char* word) { return type.find(word) != std::string::npos; };
    std::string_view third = type;
    for (int i = 0; i < 2; ++i) third = third.find('\\') == std::string_view::npos ? std::string_view() : third.substr(third.find('\\') + 1);
    third = third.substr(0, third.find('\\'));
    if (third == "LOCALIZER" || third == "SCOUT") return out(Code::localizer, "Image Type says " + std::string(third));
    if (h.curved) return out(Code::no_geometry, "a curved reformat: its pixels lie on no plane");
    if (h.samples_per_pixel != 1 || h.palette) return out(Code::screenshot, "a colour picture stored as CT");
    for (const char* word : {"SCREEN SAVE", "SCREENSAVE", "DOSE_INFO", "PATIENT_INFO"}) {
        if (says(word)) return out(Code::screenshot, "Image Type says " + type);
    }
    if (h.position) return std::nullopt;
    for (const char* word : {"SCREEN", "DOSE", "3D", "CSA", "INFO", "PROTOCOL"}) {
        if (says(word)) return out(Code::screenshot, "Image Type says " + type);
    }
    if (h.source.stored.bits_allocated == 8) return out(Code::screenshot, "an 8-bit picture without position");
    return std::nullopt;
}

/// Images that cannot be decoded leave their series; the series says so. Answers them if none is left.
std::optional<Images> Grouping::set_aside_broken(Images& images, std::vector<Notice>& notices)
{
    Images good;
    Images broken;
    for (auto* h : images) (h->problem ? broken : good).push_back(h);
    std::map<Code, std::set<std::filesystem::path>> counts;
    for (const auto* h : broken) {
        exclude(h->source.file, *h->problem, h->problem_text);
        counts[*h->problem].insert(h->source.file);
    }
    if (good.empty()) return broken;
    for (const auto& [code, files] : counts) {
        notices.push_back({code, std::to_string(files.size()) + (files.size() == 1 ? " file" : " files") + " of this series set aside: " + std::string(entry(code).meaning)});
    }
    images = std::move(good);
    return std::nullopt;
}

std::vector<SeriesCandidate> Grouping::volumes_of(Images images)
{
    std::vector<Notice> notices;
    if (const auto broken = set_aside_broken(images, notices)) return {refused(*broken, *broken->front()->problem, broken->front()->problem_text)};
    const auto patient = patient_of(images);
    if (!patient) return {refused(images, Code::two_patients, "the images belong to two patients; ask the sender")};
    const auto silent = std::count_if(images.begin(), images.end(), [&](const auto* h) { return h->facts.patient != *patient; });
    if (silent > 0) notices.push_back({Code::patient_not_compared, std::to_string(silent) + " of the " + std::to_string(images.size()) + " images do not state all that the others state of the patient"});
    for (auto* h : images) h->facts.patient = *patient;
    if (const auto* image = contradicted(images)) {
        return {refused(images, Code::conflicting_duplicate, "SOP Instance UID " + image->source.sop_instance_uid + " stands on two different images; ask the sender which is right")};
    }
    std::map<ImageKind, Images> kinds;
    for (auto* h : images) kinds[h->facts.kind].push_back(h);
    std::vector<SeriesCandidate> out;
    for (auto& [unused, group] : kinds) {
        for (auto& volume : of_kind(std::move(group), notices)) out.push_back(std::move(volume));
    }
    return out;
}

std::vector<SeriesCandidate> Grouping::of_kind(Images images, std::vector<Notice> notices)
{
    const auto& first = *images.front();
    if (first.facts.kind != ImageKind::attenuation && first.facts.kind != ImageKind::monoenergetic) {
        return {refused(images, Code::material_map, "a " + std::string(name(first.facts.kind)) + " image (Image Type " + first.facts.image_type + "), not the attenuation of the tissue")};
    }
    Images with_place;
    std::size_t without = 0;
    for (auto* h : images) {
        if (placed(*h)) {
            with_place.push_back(h);
        } else {
            ++without;
            exclude(h->source.file, Code::no_geometry, "no position, orientation or pixel spacing");
        }
    }
    if (with_place.empty()) return {refused(images, Code::no_geometry, "Image Position, Image Orientation or Pixel Spacing is missing: nothing can be measured in mm")};
    if (without > 0) notices.push_back({Code::no_geometry, std::to_string(without) + " images of this series set aside: they do not say where they lie"});
    if (const auto why = not_hounsfield(with_place, parameters_, decoder_, notices)) return {refused(with_place, Code::not_hu, *why)};
    std::map<std::string, Images> frames;
    for (auto* h : with_place) frames[h->facts.frame_of_reference_uid].push_back(h);
    if (frames.size() > 1) notices.push_back({Code::two_frames_of_reference, "the series holds " + std::to_string(frames.size()) + " frames of reference, each a volume of its own"});
    std::vector<SeriesCandidate> out;
    for (auto& [unused, group] : frames) {
        for (auto& volume : of_frame(group, notices)) out.push_back(std::move(volume));
    }
    return out;
}

std::vector<SeriesCandidate> Grouping::of_frame(const Images& images, std::vector<Notice> notices)
{
    std::vector<Images> oriented;
    for (auto* h : images) {
        auto found = std::find_if(oriented.begin(), oriented.end(), [&](const auto& set) {
            return near(*set.front()->column_step, *h->column_step) && near(*set.front()->row_step, *h->row_step);
        });
        if (found == oriented.end()) oriented.push_back({h});
        else found->push_back(h);
    }
    std::stable_sort(oriented.begin(), oriented.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    const auto normal = [](const Header* h) { return cross(*h->column_step, *h->row_step); };
    const auto main = normal(oriented.front().front());
    std::vector<Images> kept;
    for (auto& set : oriented) {
        if (kept.empty() || set.size() >= kLone) {
            kept.push_back(std::move(set));
            continue;
        }
        const bool across = std::abs(dot(main, normal(set.front()))) < kOrthogonal;
        for (const auto* h : set) {
            exclude(h->source.file, across ? Code::localizer : Code::mixed_orientation,
                    (across ? "lies across the " : "oriented otherwise than the ") + std::to_string(kept.front().size()) + " images it came with");
        }
    }
    if (kept.size() > 1) notices.push_back({Code::mixed_orientation, "the series holds " + std::to_string(kept.size()) + " stacks of different orientation, each a volume of its own"});
    std::vector<SeriesCandidate> out;
    for (auto& set : kept) {
        for (auto& volume : of_orientation(std::move(set), notices)) out.push_back(std::move(volume));
    }
    return out;
}

std::string Grouping::digest(const Header& h)
{
    auto& known = digests_[&h];
    if (!known.empty()) return known;
    if (!goes_on(progress_, "comparing images at one position", 0.5)) cancelled_ = true;
    std::vector<std::int16_t> hu(static_cast<std::size_t>(h.rows) * static_cast<std::size_t>(h.columns));
    if (cancelled_ || !decoder_.decode(h.source, h.columns, h.rows, hu)) return known = "unreadable " + h.source.file.string() + std::to_string(h.source.frame);
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_Digest(hu.data(), hu.size() * sizeof(std::int16_t), out, &length, EVP_sha256(), nullptr);
    return known = std::string(reinterpret_cast<const char*>(out), length);
}

bool Grouping::same_image(const Header& a, const Header& b)
{
    if (a.rows != b.rows || a.columns != b.columns || distance(*a.position, *b.position) >= kSamePosition_mm) return false;
    const auto& x = a.source.stored;
    const auto& y = b.source.stored;
    const bool plain = !x.encapsulated && !y.encapsulated && !x.deflated && !y.deflated && x.big_endian == y.big_endian && x.bits_allocated == y.bits_allocated;
    if (plain && x.bits_stored == y.bits_stored && x.is_signed == y.is_signed && x.slope == y.slope && x.intercept == y.intercept) {
        // Phases differ somewhere in the middle row: most comparisons end here without decoding.
        const auto row = static_cast<std::size_t>(a.columns) * static_cast<std::size_t>(x.bits_allocated / 8);
        const auto middle = row * static_cast<std::size_t>(a.rows / 2);
        std::vector<std::byte> left(row);
        std::vector<std::byte> right(row);
        const auto one = InputFile::open(a.source.file);
        const auto two = InputFile::open(b.source.file);
        if (one && two && one->read(x.offset + middle, left) == row && two->read(y.offset + middle, right) == row && left != right) return false;
    }
    return digest(a) == digest(b);
}

/// An image whose UID another image of the series bears that is not the same (sorted by UID).
const Header* Grouping::contradicted(const Images& images)
{
    for (std::size_t i = 1; i < images.size(); ++i) {
        const auto& a = *images[i - 1];
        const auto& b = *images[i];
        if (a.source.sop_instance_uid.empty() || a.source.sop_instance_uid != b.source.sop_instance_uid || a.source.frame != b.source.frame) continue;
        if (!placed(a) && !placed(b)) continue;  // neither is used
        const bool same = placed(a) && placed(b) && a.facts.kind == b.facts.kind && a.facts.frame_of_reference_uid == b.facts.frame_of_reference_uid && same_image(a, b);
        if (!same) return images[i];
    }
    return nullptr;
}

/// One or two images of another size or pixel spacing leave the others; the series says so. Answers the code, and why none can be told from
/// the others where more differ.
std::optional<std::pair<Code, std::string>> Grouping::set_aside_unlike(Images& images, std::vector<Notice>& notices)
{
    const auto same_size = [](const Header& a, const Header& b) { return a.rows == b.rows && a.columns == b.columns; };
    std::vector<Images> alike;
    for (auto* h : images) {
        auto found = std::find_if(alike.begin(), alike.end(), [&](const auto& set) {
            const auto& one = *set.front();
            return same_size(one, *h) && std::abs(*h->column_spacing_mm - *one.column_spacing_mm) <= kSamePixelSpacing_mm && std::abs(*h->row_spacing_mm - *one.row_spacing_mm) <= kSamePixelSpacing_mm;
        });
        if (found == alike.end()) alike.push_back({h});
        else found->push_back(h);
    }
    if (alike.size() < 2) return std::nullopt;
    std::stable_sort(alike.begin(), alike.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
    const auto& most = *alike.front().front();
    const auto& odd = *alike[1].front();
    const auto code = same_size(most, odd) ? Code::mixed_spacing : Code::mixed_size;
    const auto described = [](const Header& h) { return std::to_string(h.columns) + " x " + std::to_string(h.rows) + " pixels of " + fixed(*h.column_spacing_mm, 4) + " x " + fixed(*h.row_spacing_mm, 4) + " mm"; };
    const auto differ = (code == Code::mixed_spacing ? "Pixel Spacing differs between the images: " : "Rows or Columns differ between the images: ") + described(most) + ", and " + described(odd);
    const auto few = images.size() - alike.front().size();
    if (few >= kLone || few >= alike.front().size()) return std::pair{code, differ};
    for (auto set = alike.begin() + 1; set != alike.end(); ++set) {
        for (const auto* h : *set) exclude(h->source.file, same_size(most, *h) ? Code::mixed_spacing : Code::mixed_size, "of " + described(*h) + ", the others of " + described(most));
    }
    notices.push_back({code, std::to_string(few) + (few == 1 ? " image" : " images") + " of this series set aside. " + differ});
    images = std::move(alike.front());
    return std::pair{code, std::string()};
}

std::vector<SeriesCandidate> Grouping::of_orientation(Images images, std::vector<Notice> notices)
{
    const auto unlike = set_aside_unlike(images, notices);
    if (unlike && !unlike->second.empty()) return {refused(images, unlike->first, unlike->second)};
    const auto volume = [&](const Images& slices) {
        auto out = stack(slices, parameters_, notices);
        // The hole that an image of another size leaves is that image's fault.
        if (unlike && out.refused && out.refused->code == Code::missing_slices) out.refused->code = unlike->first;
        return out;
    };
    std::vector<std::pair<double, Header*>> by_position;
    for (auto* h : images) by_position.emplace_back(position_mm(*h), h);
    std::sort(by_position.begin(), by_position.end(), [](const auto& a, const auto& b) {
        if (a.first != b.first) return a.first < b.first;
        return in_order(a.second, b.second);
    });
    const auto conflict = [&](const std::string& why) { return std::vector{refused(images, Code::conflicting_duplicate, why)}; };
    Images kept;
    bool collide = false;
    std::size_t duplicates = 0;
    std::size_t places = 0;
    std::size_t place_begins = 0;
    double place = 0;
    for (const auto& [position, h] : by_position) {
        if (cancelled_) return {};
        if (kept.empty() || position - place >= kSamePosition_mm) {
            place = position;
            place_begins = kept.size();
            ++places;
        }
        const auto& image = *h;
        const auto same = std::find_if(kept.begin() + static_cast<std::ptrdiff_t>(place_begins), kept.end(), [&](const Header* other) { return same_image(image, *other); });
        if (same != kept.end()) {
            ++duplicates;
            exclude(h->source.file, Code::duplicate_file, "the same image as " + (*same)->source.file.filename().string());
            continue;
        }
        collide = collide || kept.size() > place_begins;
        kept.push_back(h);
    }
    if (duplicates > 0) notices.push_back({Code::duplicate_file, std::to_string(duplicates) + " images are there twice, pixel for pixel; each is used once"});
    if (!collide) return {volume(kept)};
    if (places < 2) return {refused(kept, Code::bolus_monitoring, std::to_string(kept.size()) + " images at one position: not a volume but one place over time")};
    const auto phases = told_apart(kept);
    if (!phases) {
        return conflict("different images share a position and no tag tells them apart (" + std::to_string(kept.size()) + " images at " + std::to_string(places) + " positions)");
    }
    notices.push_back({Code::several_phases, std::to_string(phases->stacks.size()) + " stacks share the positions, told apart by " + phases->by});
    std::vector<SeriesCandidate> out;
    for (const auto& phase : phases->stacks) out.push_back(volume(phase));
    return out;
}

using SeriesKey = std::pair<std::string_view, std::string_view>;  ///< Study and Series Instance UID

/// The series that share SOP Instance UIDs with others.
std::set<SeriesKey> series_sharing_uids(const std::map<SeriesKey, Images>& series)
{
    std::unordered_map<std::string_view, const SeriesKey*> owners;
    std::set<SeriesKey> out;
    if (series.size() < 2) return out;
    for (const auto& [key, images] : series) {
        for (const auto* h : images) {
            if (h->source.sop_instance_uid.empty()) continue;
            const auto [owner, first] = owners.try_emplace(h->source.sop_instance_uid, &key);
            if (!first && owner->second != &key) out.insert({key, *owner->second});
        }
    }
    return out;
}

}  // namespace

Result<Scan> group(std::vector<HeaderFile> files, std::vector<Exclusion> excluded, const ScanParameters& parameters, const Progress& progress)
{
    Grouping grouping(std::move(excluded), parameters, progress);
    std::map<SeriesKey, Images> series;
    for (auto& file : files) {
        for (auto& h : file.images) {
            if (auto why = grouping.unfit(h)) {
                grouping.exclude(why->file, why->code, std::move(why->text));
                continue;
            }
            // Legacy writers round or scale the directions; their lengths mean nothing.
            for (auto* step : {&h.column_step, &h.row_step}) {
                const double length = *step ? norm(**step) : 0;
                if (length > 0) **step = (1 / length) * **step;
            }
            series[{h.facts.study_instance_uid, h.facts.series_instance_uid}].push_back(&h);
        }
    }
    const auto shared = series_sharing_uids(series);
    Scan out;
    for (auto& [key, images] : series) {
        std::sort(images.begin(), images.end(), in_order);
        auto volumes = grouping.volumes_of(std::move(images));
        if (grouping.cancelled()) return Error{Code::cancelled, "stopped while comparing images", "ingest"};
        for (std::size_t v = 0; v < volumes.size(); ++v) {
            volumes[v].volume_index = static_cast<int>(v);
            if (shared.count(key)) volumes[v].notices.push_back({Code::conflicting_duplicate, "images of this series bear SOP Instance UIDs of another series: what refers to them may mean either"});
            out.series.push_back(std::move(volumes[v]));
        }
    }
    std::stable_sort(out.series.begin(), out.series.end(), [](const auto& a, const auto& b) {
        return std::tie(a.facts.study_instance_uid, a.facts.series_number, a.facts.series_instance_uid, a.volume_index) <
               std::tie(b.facts.study_instance_uid, b.facts.series_number, b.facts.series_instance_uid, b.volume_index);
    });
    out.excluded = std::move(grouping).excluded();
    return out;
}

}  // namespace retromass::ingest
