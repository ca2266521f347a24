#include "pipeline/ingest/marks.h"

#include <cmath>

#include "pipeline/ingest/dcmtk/charset.h"
#include "pipeline/ingest/dcmtk/items.h"

namespace retromass::ingest {
namespace {

/// A coded concept. SRT is the older spelling of SCT's codes; the ones used here are named in both.
struct Concept {
    std::string value;
    std::string scheme;
    std::string meaning;
    bool is(const char* sct_or_dcm, const char* srt = "") const { return value == sct_or_dcm || (*srt && value == srt); }
};

/// The frame an image reference names, from 0; empty where it names none, which means all, or several.
std::optional<int> frame_of(DcmItem& reference)
{
    Sint32 frame = 0;
    Sint32 further = 0;
    if (reference.findAndGetSint32(DCM_ReferencedFrameNumber, frame).bad() || frame < 1) return std::nullopt;
    if (reference.findAndGetSint32(DCM_ReferencedFrameNumber, further, 1).good()) return std::nullopt;
    return frame - 1;
}

constexpr const char* kOurs = "Retromass";  ///< Manufacturer of what the outputs room writes
constexpr int kDeepest = 64;  ///< levels of content; real reports have ten

/// Reads the content tree of one SR document.
class Report {
public:
    explicit Report(DcmDataset& data) : root_(data), character_set_(character_set_of(data)) {}

    Result<Marks> read()
    {
        Marks out;
        out.format = "SR";
        out.sop_instance_uid = text(root_, DCM_SOPInstanceUID);
        out.study_instance_uid = text(root_, DCM_StudyInstanceUID);
        out.completion = text(root_, DCM_CompletionFlag);
        out.verification = text(root_, DCM_VerificationFlag);
        out.ours = text(root_, DCM_Manufacturer) == kOurs;
        for (auto* study : items(root_, DCM_PredecessorDocumentsSequence)) {
            for (auto* series : items(*study, DCM_ReferencedSeriesSequence)) {
                for (auto* before : items(*series, DCM_ReferencedSOPSequence)) out.replaces.push_back(text(*before, DCM_ReferencedSOPInstanceUID));
            }
        }
        if (text(root_, DCM_ValueType) != "CONTAINER") return Error{Code::malformed, "the SR document has no content", "ingest"};
        walk(root_, out, nullptr, 0);
        std::erase_if(out.all, [](const Mark& m) { return m.values.empty() && m.tracking_uid.empty() && m.finding.empty() && !m.long_axis; });
        return out;
    }

private:
    std::string words(DcmItem& item, const DcmTagKey& tag) const { return to_utf8(all_text(item, tag), character_set_); }

    Concept concept_of(DcmItem& item, const DcmTagKey& sequence) const
    {
        const auto codes = items(item, sequence);
        if (codes.empty()) return {};
        auto value = text(*codes.front(), DCM_CodeValue);
        if (value.empty()) value = text(*codes.front(), DCM_LongCodeValue);
        return {value, text(*codes.front(), DCM_CodingSchemeDesignator), words(*codes.front(), DCM_CodeMeaning)};
    }

    /// Content items that name another place of the tree stand for what is there (by-reference relationships).
    DcmItem* resolved(DcmItem* item) const
    {
        Uint32 step = 0;
        if (item->findAndGetUint32(DCM_ReferencedContentItemIdentifier, step).bad()) return item;
        DcmItem* at = const_cast<DcmDataset*>(&root_);
        for (unsigned long level = 1; item->findAndGetUint32(DCM_ReferencedContentItemIdentifier, step, level).good(); ++level) {
            const auto content = items(*at, DCM_ContentSequence);
            if (step < 1 || step > content.size()) return item;
            at = content[step - 1];
        }
        return at;
    }
    std::vector<DcmItem*> children(DcmItem& item) const
    {
        auto out = items(item, DCM_ContentSequence);
        for (auto& child : out) child = resolved(child);
        return out;
    }

    void walk(DcmItem& container, Marks& out, Mark* group, int depth)
    {
        if (depth > kDeepest) return;
        Mark own;  // what stands outside of measurement groups, by the container it stands in
        own.name = concept_of(container, DCM_ConceptNameCodeSequence).meaning;
        Mark& mark = group ? *group : own;
        for (auto* child : items(container, DCM_ContentSequence)) {
            const auto type = text(*child, DCM_ValueType);
            const auto named = concept_of(*child, DCM_ConceptNameCodeSequence);
            if (type == "CONTAINER") {
                if (named.is("125007")) {
                    Mark measured;
                    walk(*child, out, &measured, depth + 1);
                    finish(measured);
                    out.all.push_back(std::move(measured));
                } else {
                    walk(*child, out, group, depth + 1);
                }
            } else if (type == "NUM" && text(*child, DCM_RelationshipType) == "CONTAINS") {  // others describe how images were made
                mark.values.push_back(value_of(*child, named));
            } else if (group) {
                say(*group, *child, type, named);
            }
        }
        if (!group && !own.values.empty()) {
            finish(own);
            out.all.push_back(std::move(own));
        }
    }

    void say(Mark& mark, DcmItem& item, const std::string& type, const Concept& named) const
    {
        const auto word = type == "CODE" ? concept_of(item, DCM_ConceptCodeSequence).meaning : type == "TEXT" ? words(item, DCM_TextValue) : type == "UIDREF" ? text(item, DCM_UID) : std::string();
        if (named.is("112039")) mark.name = word;
        else if (named.is("112040")) mark.tracking_uid = word;
        else if (named.is("121071")) mark.finding = word;
        else if (named.is("363698007", "G-C0E3")) mark.site = word;
        else if (!word.empty()) mark.statements.emplace_back(named.meaning, word);
        else if (type == "IMAGE" && named.is("121191")) {
            for (auto* image : items(item, DCM_ReferencedSOPSequence)) {
                Uint16 segment = 0;
                image->findAndGetUint16(DCM_ReferencedSegmentNumber, segment);
                mark.statements.emplace_back(named.meaning, text(*image, DCM_ReferencedSOPInstanceUID) + " " + std::to_string(segment));
            }
        }
    }

    /// `range`: whether the value is itself a limit of another, which has no limits of its own; a report may refer to itself.
    ReportedValue value_of(DcmItem& item, const Concept& named, bool range = false) const
    {
        ReportedValue out;
        out.name = named.meaning;
        out.code = named.value + " " + named.scheme;
        const auto measured = items(item, DCM_MeasuredValueSequence);
        std::vector<MarkedLine> lines;
        Float64 number = 0;
        if (!measured.empty() && measured.front()->findAndGetFloat64(DCM_NumericValue, number).good()) out.value = number;
        if (!measured.empty()) out.unit = concept_of(*measured.front(), DCM_MeasurementUnitsCodeSequence).value;
        for (auto* child : children(item)) {
            const auto type = text(*child, DCM_ValueType);
            const auto what = concept_of(*child, DCM_ConceptNameCodeSequence);
            if (type == "CODE" && (what.is("121401") || what.is("106233006", "G-A1F8"))) out.qualifier = concept_of(*child, DCM_ConceptCodeSequence).meaning;
            if (!range && type == "NUM" && out.value && (what.is("371885007", "R-00363") || what.is("371886008", "R-00364"))) {
                const auto limit = value_of(*child, what, true);
                if (limit.value) (what.is("371885007", "R-00363") ? out.low : out.high) = what.is("371885007", "R-00363") ? *out.value - *limit.value : *out.value + *limit.value;
            }
            if (type == "SCOORD" || type == "SCOORD3D") {
                if (auto line = line_of(*child, type, out.no_line)) lines.push_back(std::move(*line));
            }
        }
        if (lines.size() == 1) out.line = std::move(lines.front());  // an outline beside it takes nothing from it
        if (lines.size() > 1) out.no_line = std::to_string(lines.size()) + " lines";
        return out;
    }

    /// A polyline of two points on one image, or why it is none.
    std::optional<MarkedLine> line_of(DcmItem& item, const std::string& type, std::string& why) const
    {
        const auto graphic = text(item, DCM_GraphicType);
        const unsigned long per_point = type == "SCOORD" ? 2 : 3;
        Float32 v[6] = {};
        Float32 further = 0;
        bool two_points = graphic == "POLYLINE" && item.findAndGetFloat32(DCM_GraphicData, further, 2 * per_point).bad();
        for (unsigned long i = 0; i < 2 * per_point; ++i) two_points = two_points && item.findAndGetFloat32(DCM_GraphicData, v[i], i).good() && std::isfinite(v[i]);
        if (!two_points) {
            why = "a " + graphic + " that is no line of two points";
            return std::nullopt;
        }
        MarkedLine line;
        if (type == "SCOORD3D") {
            line.frame_of_reference_uid = text(item, DCM_ReferencedFrameOfReferenceUID);
            line.in_patient = {PatientPoint{v[0], v[1], v[2]}, PatientPoint{v[3], v[4], v[5]}};
            return line;
        }
        line.on_image = {ImagePoint{v[0], v[1]}, ImagePoint{v[2], v[3]}};
        int images = 0;
        for (auto* child : children(item)) {
            for (auto* image : items(*child, DCM_ReferencedSOPSequence)) {
                ++images;
                line.sop_instance_uid = text(*image, DCM_ReferencedSOPInstanceUID);
                line.frame = frame_of(*image);
            }
        }
        if (images == 1 && !line.sop_instance_uid.empty()) return line;
        why = "a line on " + std::to_string(images) + " images";
        return std::nullopt;
    }

    static bool is_length(const ReportedValue& value, const Concept& named)
    {
        return value.qualifier.empty() && (named.is("410668003", "G-D7FE") || named.is("81827009", "M-02550"));
    }

    /// Which lines are the axes: what their codes say; a single length or diameter stands for the long axis.
    void finish(Mark& mark) const
    {
        std::vector<const ReportedValue*> lengths;
        for (const auto& value : mark.values) {
            const auto code = value.code.substr(0, value.code.find(' '));
            const Concept named{code, "", ""};
            auto* const axis = named.is("103339001", "G-A185") ? &mark.long_axis : named.is("103340004", "G-A186") ? &mark.short_axis : nullptr;
            if (!value.line) {
                if (axis && !value.no_line.empty()) mark.no_lines = "its " + value.name + " was inferred from " + value.no_line;
                continue;
            }
            if (value.line->sop_instance_uid.empty() && value.line->frame_of_reference_uid.empty()) {  // type 1 there (PS3.3 C.18.9): without it the line lies nowhere
                if (axis || is_length(value, named)) mark.no_lines = "the line of its " + value.name + " lies in the patient and names no frame of reference";
                continue;
            }
            if (axis && *axis) mark.no_lines = "it has two lines for its " + value.name;
            else if (axis) *axis = value.line;
            else if (is_length(value, named)) lengths.push_back(&value);
        }
        const bool settled = !mark.no_lines.empty();
        if (!settled && !mark.long_axis && !mark.short_axis && lengths.size() == 1) mark.long_axis = lengths.front()->line;
        else if (!settled && !mark.long_axis && lengths.size() > 1) mark.no_lines = std::to_string(lengths.size()) + " lengths do not say which is the long axis";
        else if (!settled && !mark.long_axis) mark.no_lines = mark.short_axis ? "it has a short axis only" : "it has no line of two points on an image";
        if (!mark.no_lines.empty()) mark.long_axis.reset(), mark.short_axis.reset();
    }

    DcmDataset& root_;
    std::string character_set_;
};

/// Where the points of a graphic lie on an image: as they are, or by the displayed area of the presentation state (PS3.3 C.10.4, C.10.5).
struct Display {
    double left = 0, top = 0, right = 0, bottom = 0;  ///< pixels, of the displayed area's corners as shown
    bool known = false;
    bool contradicts = false;                         ///< the corners run otherwise than rotation and flip say
    bool turned = false;                              ///< by 90 or 270 degrees: across the screen runs along rows
    ImagePoint at(double across, double down) const
    {
        const double column = turned ? down : across;
        const double row = turned ? across : down;
        return {left + column * (right - left), top + row * (bottom - top)};
    }
};

class PresentationState {
public:
    explicit PresentationState(DcmDataset& data) : data_(data) {}

    Marks read()
    {
        Marks out;
        out.format = "GSPS";
        out.sop_instance_uid = text(data_, DCM_SOPInstanceUID);
        out.study_instance_uid = text(data_, DCM_StudyInstanceUID);
        std::vector<NamedLine> lines;
        for (auto* annotation : items(data_, DCM_GraphicAnnotationSequence)) {
            auto images = items(*annotation, DCM_ReferencedImageSequence);
            const auto list = [&](const std::string& why) {
                Mark listed;
                listed.name = "graphic in layer " + text(*annotation, DCM_GraphicLayer);
                listed.no_lines = why;
                out.all.push_back(std::move(listed));
            };
            for (auto* graphic : items(*annotation, DCM_GraphicObjectSequence)) {
                const auto type = text(*graphic, DCM_GraphicType);
                const auto points = number_of_points(*graphic);
                const auto why = type == "POLYLINE" && points == 2 ? add(*graphic, images, lines) : "it is a " + type + " of " + std::to_string(points) + " points; a line has two";
                if (!why.empty()) list(why);
            }
            for (auto* graphic : items(*annotation, DCM_CompoundGraphicSequence)) list("it is a compound graphic, " + text(*graphic, DCM_CompoundGraphicType) + ", which is not read; the lines it is drawn with are");
        }
        const auto marks = marks_of(lines);
        out.all.insert(out.all.begin(), marks.begin(), marks.end());
        return out;
    }

private:
    static int number_of_points(DcmItem& graphic)
    {
        Uint16 points = 0;
        graphic.findAndGetUint16(DCM_NumberOfGraphicPoints, points);
        return points;
    }

    /// Adds the line, or says why it has no place.
    std::string add(DcmItem& graphic, const std::vector<DcmItem*>& annotated, std::vector<NamedLine>& lines)
    {
        auto images = annotated;
        if (images.empty()) {  // it applies to every image the state names (PS3.3 C.10.5): only one is a place
            for (auto* series : items(data_, DCM_ReferencedSeriesSequence)) {
                for (auto* image : items(*series, DCM_ReferencedImageSequence)) images.push_back(image);
            }
        }
        if (images.size() != 1) return "it applies to " + std::to_string(images.size()) + " images";
        Float32 v[4] = {};
        for (unsigned long i = 0; i < 4; ++i) {
            if (graphic.findAndGetFloat32(DCM_GraphicData, v[i], i).bad() || !std::isfinite(v[i])) return "its points are not numbers";
        }
        const auto units = text(graphic, DCM_GraphicAnnotationUnits);
        NamedLine named;
        named.name = to_utf8(text(graphic, DCM_TrackingID), character_set_of(data_));
        named.tracking_uid = text(graphic, DCM_TrackingUID);
        auto& line = named.line;
        line.sop_instance_uid = text(*images.front(), DCM_ReferencedSOPInstanceUID);
        line.frame = frame_of(*images.front());
        if (units == "PIXEL") {
            line.on_image = {ImagePoint{v[0], v[1]}, ImagePoint{v[2], v[3]}};
        } else if (units == "DISPLAY") {
            const auto display = display_of(line.sop_instance_uid);
            if (!display.known) return "it is drawn in units of the display, and the displayed area is not given";
            if (display.contradicts) return "it is drawn in units of the display, whose area contradicts its rotation and flip";
            line.on_image = {display.at(v[0], v[1]), display.at(v[2], v[3])};
        } else {
            return "its annotation units '" + units + "' are not read";
        }
        lines.push_back(std::move(named));
        return {};
    }

    Display display_of(const std::string& image) const
    {
        Display out;
        for (auto* area : items(data_, DCM_DisplayedAreaSelectionSequence)) {
            const auto images = items(*area, DCM_ReferencedImageSequence);
            bool meant = images.empty();
            for (auto* one : images) meant = meant || text(*one, DCM_ReferencedSOPInstanceUID) == image;
            Sint32 tlhc[2], brhc[2];
            for (unsigned long i = 0; i < 2; ++i) {
                meant = meant && area->findAndGetSint32(DCM_DisplayedAreaTopLeftHandCorner, tlhc[i], i).good() && area->findAndGetSint32(DCM_DisplayedAreaBottomRightHandCorner, brhc[i], i).good();
            }
            if (!meant) continue;
            // The corners name pixels, counted from 1; the area reaches to their outer edges. Which lies left or above tells flips and turns.
            const bool rightwards = brhc[0] >= tlhc[0];
            const bool downwards = brhc[1] >= tlhc[1];
            out.left = rightwards ? tlhc[0] - 1 : tlhc[0];
            out.right = rightwards ? brhc[0] : brhc[0] - 1;
            out.top = downwards ? tlhc[1] - 1 : tlhc[1];
            out.bottom = downwards ? brhc[1] : brhc[1] - 1;
            out.known = true;
            Uint16 rotation = 0;
            data_.findAndGetUint16(DCM_ImageRotation, rotation);
            const bool flip = text(data_, DCM_ImageHorizontalFlip) == "Y";  // after the rotation, which is clockwise
            out.turned = rotation % 180 == 90;
            out.contradicts = rightwards != (rotation == 0 ? !flip : rotation == 180 ? flip : rotation == 90) || downwards != (rotation == 0 || (rotation == 90 && flip) || (rotation == 270 && !flip));
            break;
        }
        return out;
    }

    DcmDataset& data_;
};

}  // namespace

Result<Marks> read_dicom_marks(const std::filesystem::path& file)
{
    DcmFileFormat format;
    if (!load(format, file)) return Error{Code::malformed, "cannot be read as DICOM", "ingest"};
    auto& data = *format.getDataset();
    const auto sop_class = text(data, DCM_SOPClassUID);
    if (sop_class.rfind("1.2.840.10008.5.1.4.1.1.88.", 0) == 0) return Report(data).read();
    for (const char* const state : {UID_GrayscaleSoftcopyPresentationStateStorage, UID_ColorSoftcopyPresentationStateStorage, UID_PseudoColorSoftcopyPresentationStateStorage}) {
        if (sop_class == state) return PresentationState(data).read();  // they draw in the same way
    }
    return Error{Code::not_an_image, "SOP class " + sop_class + " holds no marks (SR documents and presentation states do)", "ingest"};
}

}  // namespace retromass::ingest
