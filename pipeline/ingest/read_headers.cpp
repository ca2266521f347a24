#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "pipeline/ingest/codecs/codecs.h"
#include "pipeline/ingest/dcmtk/charset.h"
#include "pipeline/ingest/elements.h"
#include "pipeline/ingest/file_bytes.h"
#include "pipeline/ingest/functional_groups.h"
#include "pipeline/ingest/header.h"

namespace retromass::ingest {
namespace {

constexpr std::size_t kFirstRead = 8 << 10;          // holds the header of most CT images
constexpr std::size_t kGrowth = 8;                   // each further read is this much longer: O(size) in all
constexpr std::size_t kLargestHeader = 64U << 20;    // a header of 64 MiB is no CT
constexpr int kLargestSide = 8192;                   // pixels; no CT matrix comes near it
constexpr std::uint64_t kBombBytes = 64U << 20;      // a frame this large ...
constexpr std::uint64_t kBombRatio = 1000;           // ... does not come out of a thousandth of it (docs/stages/ingest.md)

constexpr std::string_view kCtImage = "1.2.840.10008.5.1.4.1.1.2";
constexpr std::string_view kEnhancedCt = "1.2.840.10008.5.1.4.1.1.2.1";
constexpr std::string_view kLegacyEnhancedCt = "1.2.840.10008.5.1.4.1.1.2.2";
constexpr std::string_view kSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7";
constexpr std::string_view kDirectory = "1.2.840.10008.1.3.10";
constexpr std::string_view kImplicit = "1.2.840.10008.1.2";
constexpr std::string_view kDeflated = "1.2.840.10008.1.2.1.99";

Error set_aside(Code code, std::string why) { return {code, std::move(why), "ingest"}; }

/// ID, issuer, birth date, sex.
using PatientTexts = std::array<std::string, 4>;

/// The pseudonym of a patient. Images of a folder mostly share theirs, so the last one is kept.
PatientIdentity identity_of(const PatientTexts& texts)
{
    thread_local PatientTexts last;
    thread_local PatientIdentity identity;
    if (texts == last) return identity;
    const auto hashed = [&](std::size_t which) -> std::uint64_t {
        if (texts[which].empty()) return 0;
        const auto salted = std::to_string(which) + "|" + texts[which];
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        EVP_Digest(salted.data(), salted.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
        std::uint64_t out = 0;
        for (std::size_t i = 0; i < sizeof out; ++i) out = out << 8 | digest[i];
        return out;
    };
    identity = {hashed(0), hashed(1), hashed(2), hashed(3)};
    last = texts;
    return identity;
}

/// Kind and phase by the words of the header. Images of a folder mostly share theirs, so the last answer is kept.
void judge_words(AcquisitionFacts& facts, const std::string& protocol)
{
    struct Last {
        std::string image_type, description, protocol, phase;
        ImageKind kind = ImageKind::attenuation;
    };
    thread_local Last last;
    if (facts.image_type != last.image_type || facts.series_description != last.description || protocol != last.protocol) {
        last = {facts.image_type, facts.series_description, protocol, contrast_phase(facts.series_description, protocol), image_kind(facts.image_type, facts.series_description)};
    }
    facts.contrast_phase = last.phase;
    facts.kind = last.kind;
}

/// What was made of a volume before this image (PS3.3 C.8.16.2): its brightest values or a view of it are no tissue, and a curved cut has no plane.
void judge_technique(Header& image, const std::string& volumetric)
{
    for (const char* view : {"MAX_IP", "MIN_IP", "VOLUME_RENDER", "SURFACE_RENDER"}) {
        if (image.technique == view) image.facts.kind = ImageKind::projection;
    }
    image.curved = volumetric == "DISTORTED" || image.technique == "CURVED_MPR";
}

std::optional<Date> date_of(std::string_view text) { return parse_date(std::string(text.substr(0, 8))); }

bool lossy_syntax(std::string_view uid)
{
    // JPEG processes 1, 2 and 4, JPEG-LS near-lossless, JPEG 2000 that may lose (PS3.6 A.1)
    for (const std::string_view lossy : {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.81",
                                         "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.93"}) {
        if (uid == lossy) return true;
    }
    return false;
}

/// Reads one header element by element, taking more of the file only when an element runs past what is at hand.
class HeaderReader {
public:
    HeaderReader(const InputFile& file, std::vector<std::byte>& buffer) : file_(file), buffer_(buffer) {}

    Result<HeaderFile> read();

private:
    Status find_data_set();
    Status walk();
    bool grow();
    Bytes bytes() const { return Bytes(buffer_).subspan(base_); }
    void take(const Element& e);
    void take_pixels(const Element& e);
    void take_directory(const Element& records);
    Status check();
    void check_pixels();
    Result<std::vector<Header>> frames();

    const InputFile& file_;
    std::vector<std::byte>& buffer_;   ///< start of the file, or of the inflated data set
    std::size_t base_ = 0;             ///< of the data set inside the buffer
    bool whole_ = false;               ///< nothing lies behind the buffer
    std::string meta_class_;
    Encoding encoding_;
    bool has_pixels_ = false;
    bool float_pixels_ = false;
    bool directory_ = false;
    std::string private_compression_;
    std::uint64_t pixel_length_ = 0;
    PatientTexts patient_;             ///< ID, issuer, birth date, sex
    std::string character_set_;
    std::string protocol_;
    std::string volumetric_;           ///< Volumetric Properties
    std::string nominal_phase_;
    std::string acquisition_datetime_;
    long declared_frames_ = 1;
    FrameFacts shared_;
    std::vector<FrameFacts> per_frame_;
    std::optional<double> slope_;
    std::optional<double> intercept_;
    std::vector<std::string> referenced_;
    Header image_;
};

Status HeaderReader::find_data_set()
{
    whole_ = file_.size() <= kFirstRead;
    buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(file_.size(), kFirstRead)));
    buffer_.resize(file_.read(0, buffer_));
    const auto start = Bytes(buffer_);
    bool marked = start.size() >= 132 && std::memcmp(start.data() + 128, "DICM", 4) == 0;
    if (marked && encoding_of(start) && !encoding_of(start.subspan(132))) marked = false;  // four letters of a data set without preamble
    base_ = marked ? 132 : 0;
    // Without the mark only a data set that starts with group 2 or 8, as every image does, is taken for DICOM.
    const auto group = start.size() < 8 ? 0 : u16(start, 0, false);
    if (!marked && group != 0x0002 && group != 0x0008 && group != 0x0800) return set_aside(Code::not_dicom, buffer_.empty() ? "an empty file" : "not a DICOM file");
    // File meta information is explicit little endian; a few writers made it implicit. Its end is where group 2 ends, whatever the stated length.
    std::string& syntax = image_.source.stored.transfer_syntax;
    Cursor meta(start, {true, false}, base_);
    Element e;
    while (meta.at() + 8 <= start.size() && u16(start, meta.at(), false) == 0x0002 && meta.next(e) == Step::element) {
        if (e.tag == 0x00020010) syntax = text_of(e.value);
        if (e.tag == 0x00020002) meta_class_ = text_of(e.value);
    }
    base_ = meta.at();
    if (syntax == kDeflated) {
        auto& stored = image_.source.stored;
        stored.deflated = true;
        stored.data_set_offset = base_;
        RETROMASS_TRY_ASSIGN(buffer_, inflate_prefix(file_, base_, kFirstRead));
        base_ = 0;
        whole_ = buffer_.size() < kFirstRead;
    }
    auto found = encoding_of(bytes());
    if (!found && bytes().size() >= 8 && syntax == kImplicit) found = Encoding{false, false};
    if (!found) return set_aside(base_ > 0 ? Code::malformed : Code::not_dicom, "no data set starts where the file meta information ends");
    encoding_ = *found;
    return Done{};
}

bool HeaderReader::grow()
{
    if (whole_ || buffer_.size() >= kLargestHeader) return false;
    const auto wanted = std::min(buffer_.size() * kGrowth, kLargestHeader);
    if (image_.source.stored.deflated) {
        auto more = inflate_prefix(file_, image_.source.stored.data_set_offset, wanted);
        if (!more || more->size() <= buffer_.size()) return false;
        buffer_ = std::move(*more);
        whole_ = buffer_.size() < wanted;
        return true;
    }
    const auto before = buffer_.size();
    buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(file_.size(), wanted)));
    buffer_.resize(before + file_.read(before, std::span(buffer_).subspan(before)));
    whole_ = buffer_.size() < wanted;
    return buffer_.size() > before;
}

Status HeaderReader::walk()
{
    Cursor cursor(bytes(), encoding_);
    Element e;
    while (true) {
        switch (cursor.next(e)) {
        case Step::element: take(e); break;
        case Step::pixels: take_pixels(e); return Done{};
        case Step::end:
            if (whole_ || !grow()) return Done{};
            cursor.rebind(bytes());
            break;
        case Step::short_of:
            if (!grow()) {
                // Trailing bytes too few for an element (padding after the data set) end it; anything else was cut off.
                if (whole_ && bytes().size() - cursor.at() < 8) return Done{};
                return set_aside(Code::malformed, whole_ ? "the file ends inside its header" : "the header is longer than 64 MiB");
            }
            cursor.rebind(bytes());
            break;
        case Step::malformed: return set_aside(Code::malformed, "the header cannot be read: wrong delimiters, or sequences inside sequences beyond any use");
        }
    }
}

void HeaderReader::take_pixels(const Element& e)
{
    has_pixels_ = true;
    auto& stored = image_.source.stored;
    stored.offset = base_ + e.value_start;
    stored.encapsulated = e.undefined_length;
    stored.big_endian = encoding_.big_endian;
    pixel_length_ = e.undefined_length ? 0 : e.length;
}

void HeaderReader::take(const Element& e)
{
    auto& facts = image_.facts;
    auto& stored = image_.source.stored;
    const bool big = encoding_.big_endian;
    const auto text = [&] { return text_of(e.value); };
    const auto padding = [&]() -> std::optional<int> {
        if (e.value.size() < 2) return std::nullopt;
        return u16(e.value, 0, big);  // its sign is settled once Pixel Representation is known
    };
    switch (e.tag) {
    case 0x00041220: take_directory(e); break;
    case 0x00080005: character_set_ = text(); break;
    case 0x00080008: facts.image_type = text(); break;
    case 0x00080016: image_.source.sop_class_uid = text(); break;
    case 0x00080018: image_.source.sop_instance_uid = text(); break;
    case 0x00080020: facts.study_date = date_of(text()); break;
    case 0x00080021: facts.series_date = date_of(text()); break;
    case 0x00080022: facts.acquisition_date = date_of(text()); image_.acquisition_time = std::string(text()) + image_.acquisition_time; break;
    case 0x0008002A: acquisition_datetime_ = text(); break;
    case 0x00080032: image_.acquisition_time += text(); break;
    case 0x00080060: facts.modality = text(); break;
    case 0x00080070: facts.manufacturer = text(); break;
    case 0x00081030: facts.study_description = text(); break;
    case 0x0008103E: facts.series_description = text(); break;
    case 0x00081090: facts.model = text(); break;
    case 0x00089206: volumetric_ = text(); break;
    case 0x00089207: image_.technique = text(); break;
    case 0x00100020: patient_[0] = text(); break;
    case 0x00100021: patient_[1] = text(); break;
    case 0x00100030: patient_[2] = text(); break;
    case 0x00100040: patient_[3] = text(); break;
    case 0x00180010: facts.contrast_agent = text(); break;
    case 0x00180015: facts.body_part = text(); break;
    case 0x00180050: facts.slice_thickness_mm = number_of(text()); break;
    case 0x00180060: facts.kvp = number_of(text()); break;
    case 0x00181030: protocol_ = text(); break;
    case 0x00181060: image_.contrast_time += std::string(text()) + "|"; break;
    case 0x00181210: facts.kernel = text(); break;
    case 0x0020000D: facts.study_instance_uid = text(); break;
    case 0x0020000E: facts.series_instance_uid = text(); break;
    case 0x00200011: facts.series_number = static_cast<int>(std::clamp(number_of(text()).value_or(0), -2e9, 2e9)); break;
    case 0x00200012: image_.acquisition_number = text(); break;
    case 0x00200013: image_.instance_number = static_cast<long>(std::clamp(number_of(text()).value_or(0), -2e9, 2e9)); break;
    case 0x00200032: image_.position = triple_of(text(), 0); break;
    case 0x00200037:
        image_.column_step = triple_of(text(), 0);
        image_.row_step = triple_of(text(), 3);
        break;
    case 0x00200052: facts.frame_of_reference_uid = text(); break;
    case 0x00200100: image_.temporal_position = text(); break;
    case 0x00201041: image_.slice_location_mm = number_of(text()); break;
    case 0x00209161: image_.concatenation_uid = text(); break;
    case 0x00209163: image_.concatenation_parts = short_of(e, big).value_or(0); break;
    case 0x00209241: nominal_phase_.assign(reinterpret_cast<const char*>(e.value.data()), e.value.size()); break;  // a float: only to tell phases apart
    case 0x00280002: image_.samples_per_pixel = short_of(e, big).value_or(1); break;
    case 0x00280004: image_.palette = text() == "PALETTE COLOR"; break;
    case 0x00280008: declared_frames_ = static_cast<long>(std::clamp(number_of(text()).value_or(1), -1.0, 2e9)); break;
    case 0x00280010: image_.rows = short_of(e, big).value_or(0); break;
    case 0x00280011: image_.columns = short_of(e, big).value_or(0); break;
    case 0x00280030:
        image_.row_spacing_mm = number_of(value_of(text(), 0));  // DICOM: first the distance between rows
        image_.column_spacing_mm = number_of(value_of(text(), 1));
        break;
    case 0x00280100: stored.bits_allocated = short_of(e, big).value_or(0); break;
    case 0x00280101: stored.bits_stored = short_of(e, big).value_or(0); break;
    case 0x00280102: stored.high_bit = short_of(e, big).value_or(0); break;
    case 0x00280103: stored.is_signed = short_of(e, big).value_or(0) == 1; break;
    case 0x00280120: stored.padding = padding(); break;
    case 0x00280121: stored.padding_limit = padding(); break;
    case 0x00280300: facts.synthetic = text() == "YES"; break;
    case 0x00281052: intercept_ = number_of(text()); break;
    case 0x00281053: slope_ = number_of(text()); break;
    case 0x00281054: image_.rescale_type = text(); break;
    case 0x00283000: image_.modality_lut = !items_of(e, encoding_, 1).empty(); break;
    case 0x00282110: image_.lossy = text() == "01"; break;
    case 0x52009229:
        if (const auto items = items_of(e, encoding_, 1); !items.empty()) shared_ = frame_facts(items.front(), inside(e, encoding_));
        break;
    case 0x52009230:
        for (const auto& item : items_of(e, encoding_)) per_frame_.push_back(frame_facts(item, inside(e, encoding_)));
        break;
    case 0x07A11011: private_compression_ = text(); break;  // Philips ELSCINT1: PMSCT_RLE1 and its like
    case 0x7FE00008:
    case 0x7FE00009: float_pixels_ = true; break;
    default: break;
    }
}

void HeaderReader::take_directory(const Element& records)
{
    directory_ = true;
    const auto encoding = inside(records, encoding_);
    for (const auto& record : items_of(records, encoding_)) {
        Cursor cursor(record, encoding);
        Element e;
        while (cursor.next(e) == Step::element) {
            if (e.tag != 0x00041500) continue;
            if (const auto id = text_of(e.value); !id.empty()) referenced_.emplace_back(id);
            break;
        }
    }
}

Status HeaderReader::check()
{
    auto& facts = image_.facts;
    auto& source = image_.source;
    if (source.sop_class_uid.empty()) source.sop_class_uid = meta_class_;
    const auto& sop = source.sop_class_uid;
    const bool ct_class = sop == kCtImage || sop == kEnhancedCt || sop == kLegacyEnhancedCt;
    if (!ct_class && facts.modality != "CT") {
        return set_aside(Code::not_an_image, "modality " + (facts.modality.empty() ? std::string("not stated") : facts.modality) + ", not a CT image");
    }
    // Anonymisers spoil SOP classes, converters write volumes as multi-frame secondary captures: what counts is whether there is an image in space.
    image_.multi_frame = !per_frame_.empty();
    if (!ct_class && !has_pixels_) return set_aside(Code::not_an_image, "SOP class " + sop + " without pixels");
    if (!ct_class && sop.rfind(kSecondaryCapture, 0) == 0 && !image_.multi_frame) return set_aside(Code::screenshot, "a secondary capture, not a CT image");
    source.stored.file_size = file_.size();
    if (source.stored.transfer_syntax.empty()) {
        source.stored.transfer_syntax = encoding_.big_endian ? std::string("1.2.840.10008.1.2.2") : encoding_.explicit_vr ? "1.2.840.10008.1.2.1" : std::string(kImplicit);
    }
    facts.transfer_syntax = source.stored.transfer_syntax;
    for (auto* text : {&facts.study_description, &facts.series_description, &facts.manufacturer, &facts.model, &facts.contrast_agent, &facts.body_part, &facts.kernel, &protocol_}) {
        if (!std::all_of(text->begin(), text->end(), [](char c) { return c >= ' ' && c <= '~'; })) *text = to_utf8(*text, character_set_);
    }
    judge_words(facts, protocol_);
    judge_technique(image_, volumetric_);
    facts.patient = identity_of(patient_);
    if (!acquisition_datetime_.empty()) {
        image_.acquisition_time = acquisition_datetime_;
        if (!facts.acquisition_date) facts.acquisition_date = date_of(acquisition_datetime_);
    }
    if (!nominal_phase_.empty()) image_.contrast_time += nominal_phase_;
    image_.lossy = image_.lossy || lossy_syntax(facts.transfer_syntax);
    auto& stored = source.stored;
    image_.rescaled = slope_ && intercept_;
    image_.rescale_begun = slope_ || intercept_;
    stored.slope = slope_.value_or(1);
    stored.intercept = intercept_.value_or(0);
    if (stored.is_signed) {  // signed and unsigned encodings of the same bits are the same value
        for (auto* value : {&stored.padding, &stored.padding_limit}) {
            if (*value) *value = static_cast<std::int16_t>(static_cast<std::uint16_t>(**value));
        }
    }
    return Done{};
}

void HeaderReader::check_pixels()
{
    const auto& stored = image_.source.stored;
    const auto problem = [&](Code code, std::string why) {
        image_.problem = code;
        image_.problem_text = std::move(why);
    };
    const auto& syntax = stored.transfer_syntax;
    if (!private_compression_.empty() && (!has_pixels_ || private_compression_.find("RLE") != std::string::npos)) {
        return problem(Code::private_compression, "pixels are compressed by the vendor's private scheme " + private_compression_ + "; export the series in a standard transfer syntax");
    }
    if (stored.encapsulated && syntax.rfind("1.2.840.10008.", 0) != 0) {
        return problem(Code::private_compression, "pixels are compressed by the private transfer syntax " + syntax + "; export the series in a standard one");
    }
    if (float_pixels_) return problem(Code::unsupported_syntax, "floating-point pixel data is not read");
    if (!has_pixels_) return problem(Code::truncated_pixels, "there is no pixel data");
    if (image_.rows <= 0 || image_.columns <= 0) return problem(Code::malformed, "Rows or Columns is missing");
    if (stored.bits_allocated == 12) return problem(Code::unsupported_syntax, "12-bit packed pixels (Bits Allocated 12) are not read; export the series with Bits Allocated 16");
    if (stored.bits_allocated != 8 && stored.bits_allocated != 16) {
        return problem(Code::unsupported_syntax, "Bits Allocated is " + std::to_string(stored.bits_allocated) + ", expected 8 or 16");
    }
    if (stored.bits_stored < 1 || stored.bits_stored > stored.bits_allocated || stored.high_bit >= stored.bits_allocated || stored.high_bit < stored.bits_stored - 1) {
        return problem(Code::malformed, "Bits Allocated " + std::to_string(stored.bits_allocated) + ", Stored " + std::to_string(stored.bits_stored) + ", High Bit " +
                                            std::to_string(stored.high_bit) + " cannot be");
    }
    const auto frame_bytes = static_cast<std::uint64_t>(image_.rows) * static_cast<std::uint64_t>(image_.columns) * static_cast<std::uint64_t>(image_.samples_per_pixel) *
                             static_cast<std::uint64_t>(stored.bits_allocated / 8);
    const auto frames = static_cast<std::uint64_t>(std::max(1L, declared_frames_));
    if (image_.rows > kLargestSide || image_.columns > kLargestSide) {
        return problem(Code::oversized, std::to_string(image_.columns) + " x " + std::to_string(image_.rows) + " pixels are more than any CT has");
    }
    const auto in_file = stored.deflated ? UINT64_MAX : file_.size() > stored.offset ? file_.size() - stored.offset : 0;
    if (stored.encapsulated) {
        if (!can_decode(syntax)) {
            const auto known = transfer_syntax_name(syntax);
            return problem(Code::unsupported_syntax, "transfer syntax " + (known.empty() ? syntax : std::string(known) + " (" + syntax + ")") + " has no decoder here");
        }
        if (frame_bytes * frames > kBombBytes && frame_bytes * frames / kBombRatio > in_file) {
            problem(Code::oversized, "the file promises " + std::to_string(frame_bytes * frames >> 20) + " MiB of pixels in " + std::to_string(in_file) + " bytes");
        }
        return;
    }
    if (const bool compressed = syntax.rfind("1.2.840.10008.1.2.4.", 0) == 0 || syntax.rfind("1.2.840.10008.1.2.5", 0) == 0; compressed) {
        return problem(Code::malformed, "the transfer syntax " + syntax + " says compressed, the pixel data is not");
    }
    const auto held = std::min(pixel_length_, in_file);
    if (held < frame_bytes * frames) {
        problem(Code::truncated_pixels, "pixel data holds " + std::to_string(held) + " bytes, expected " + std::to_string(frame_bytes * frames));
    }
}

Result<std::vector<Header>> HeaderReader::frames()
{
    if (!image_.multi_frame) {
        if (image_.source.sop_class_uid == kEnhancedCt) return set_aside(Code::no_geometry, "an enhanced image that does not describe its frames");
        if (declared_frames_ > 1) return set_aside(Code::unsupported_syntax, "a CT Image of " + std::to_string(declared_frames_) + " frames does not say where each lies; send it as Enhanced CT");
        std::vector<Header> one;
        one.push_back(std::move(image_));
        return one;
    }
    if (declared_frames_ < 1) return set_aside(Code::malformed, "Number of Frames is " + std::to_string(declared_frames_));
    if (per_frame_.size() != static_cast<std::size_t>(declared_frames_)) {
        return set_aside(Code::no_geometry, "Number of Frames is " + std::to_string(declared_frames_) + ", but " + std::to_string(per_frame_.size()) + " frames are described");
    }
    image_.source.stored.frames = static_cast<int>(declared_frames_);
    const auto frame_bytes = static_cast<std::uint64_t>(image_.rows) * static_cast<std::uint64_t>(image_.columns) * static_cast<std::uint64_t>(image_.source.stored.bits_allocated / 8);
    std::vector<Header> out;
    out.reserve(per_frame_.size());
    for (std::size_t f = 0; f < per_frame_.size(); ++f) {
        const auto facts = merged(per_frame_[f], shared_);
        Header h = image_;
        h.source.frame = static_cast<int>(f);
        if (!h.source.stored.encapsulated) h.source.stored.offset += f * frame_bytes;
        h.position = facts.position;
        h.column_step = facts.column_step;
        h.row_step = facts.row_step;
        h.row_spacing_mm = facts.row_spacing_mm;
        h.column_spacing_mm = facts.column_spacing_mm;
        if (facts.slice_thickness_mm) h.facts.slice_thickness_mm = facts.slice_thickness_mm;
        if (facts.kvp) h.facts.kvp = facts.kvp;
        if (!facts.kernel.empty()) h.facts.kernel = facts.kernel;
        if (facts.slope || facts.intercept) h.rescale_begun = true;
        if (facts.slope && facts.intercept) {  // else what stands at the top, as in multi-frame secondary captures
            h.rescaled = true;
            h.source.stored.slope = *facts.slope;
            h.source.stored.intercept = *facts.intercept;
        }
        if (!facts.rescale_type.empty()) h.rescale_type = facts.rescale_type;
        if (!facts.frame_type.empty()) h.facts.image_type = facts.frame_type;
        h.facts.kind = image_kind(h.facts.image_type, h.facts.series_description);
        if (!facts.technique.empty()) h.technique = facts.technique;
        judge_technique(h, facts.volumetric.empty() ? volumetric_ : facts.volumetric);
        if (!facts.stack_id.empty()) h.stack_id = facts.stack_id;
        if (!facts.temporal_position.empty()) h.temporal_position = facts.temporal_position;
        if (!facts.acquisition_time.empty()) h.acquisition_time = facts.acquisition_time;
        if (!facts.cardiac_phase.empty()) h.contrast_time = facts.cardiac_phase;
        out.push_back(std::move(h));
    }
    return out;
}

Result<HeaderFile> HeaderReader::read()
{
    RETROMASS_TRY(find_data_set());
    image_.source.stored.bits_allocated = image_.source.stored.bits_stored = 0;
    image_.source.stored.high_bit = -1;
    RETROMASS_TRY(walk());
    auto& stored = image_.source.stored;
    if (stored.bits_stored == 0) stored.bits_stored = stored.bits_allocated;
    if (stored.high_bit < 0) stored.high_bit = stored.bits_stored - 1;
    if (directory_ || meta_class_ == kDirectory) return HeaderFile{{}, true, std::move(referenced_)};
    if (const auto checked = check(); !checked) {
        if (checked.error().code != Code::not_an_image) return checked.error();
        return HeaderFile{{}, false, {}, checked.error(), image_.facts.study_instance_uid};
    }
    check_pixels();
    RETROMASS_TRY_ASSIGN(auto images, frames());
    return HeaderFile{std::move(images), false, {}};
}

}  // namespace

Result<HeaderFile> read_headers(const std::filesystem::path& file)
{
    RETROMASS_TRY_ASSIGN(const auto opened, InputFile::open(file));
    thread_local std::vector<std::byte> buffer;  // one for all files of a scan
    return HeaderReader(opened, buffer).read();
}

}  // namespace retromass::ingest
