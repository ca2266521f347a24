#include "pipeline/ingest/dcmtk/charset.h"
#include "pipeline/ingest/dcmtk/items.h"

#include <map>

#include "pipeline/ingest/contours.h"

namespace retromass::ingest {
namespace {

int number(DcmItem& item, const DcmTagKey& key)
{
    Sint32 value = 0;
    return item.findAndGetSint32(key, value).good() ? static_cast<int>(value) : 0;
}

Result<std::vector<PatientPoint>> points_of(DcmItem& contour)
{
    DcmElement* element = nullptr;
    OFVector<Float64> values;
    const bool read = contour.findAndGetElement(DCM_ContourData, element).good() && element->ident() == EVR_DS && static_cast<DcmDecimalString*>(element)->getFloat64Vector(values).good();
    if (!read || values.size() % 3 != 0) return Error{Code::malformed, "Contour Data (3006,0050) are not triples of numbers", "ingest"};
    std::vector<PatientPoint> points;
    for (std::size_t i = 0; i < values.size(); i += 3) points.push_back({values[i], values[i + 1], values[i + 2]});
    return points;
}

}  // namespace

Result<StructureSet> read_structure_set(const std::filesystem::path& file)
{
    DcmFileFormat format;
    if (!load(format, file)) return Error{Code::malformed, "RT Structure Set: cannot be read", "ingest"};
    auto& data = *format.getDataset();
    StructureSet out;
    for (auto* frame : items(data, DCM_ReferencedFrameOfReferenceSequence)) {
        if (out.frame_of_reference_uid.empty()) out.frame_of_reference_uid = text(*frame, DCM_FrameOfReferenceUID);
    }
    std::map<int, std::string> names;
    std::map<int, std::string> frames;
    for (auto* roi : items(data, DCM_StructureSetROISequence)) {
        names[number(*roi, DCM_ROINumber)] = to_utf8(text(*roi, DCM_ROIName), character_set_of(data));
        frames[number(*roi, DCM_ROINumber)] = text(*roi, DCM_ReferencedFrameOfReferenceUID);
        if (out.frame_of_reference_uid.empty()) out.frame_of_reference_uid = text(*roi, DCM_ReferencedFrameOfReferenceUID);
    }
    for (auto* roi : items(data, DCM_ROIContourSequence)) {
        ContouredRegion region;
        region.number = number(*roi, DCM_ReferencedROINumber);
        region.name = names[region.number];
        region.frame_of_reference_uid = frames[region.number].empty() ? out.frame_of_reference_uid : frames[region.number];
        std::map<std::string, int> odd;
        for (auto* contour : items(*roi, DCM_ContourSequence)) {
            const std::string type = text(*contour, DCM_ContourGeometricType);
            if (type != "CLOSED_PLANAR" && type != "CLOSEDPLANAR_XOR" && type != "CLOSED_PLANAR_XOR") {  // the last as some spell it
                ++odd[type.empty() ? "without a type" : "of type " + type];
                continue;
            }
            RETROMASS_TRY_ASSIGN(auto points, points_of(*contour));
            if (points.size() >= 3) region.contours.push_back(std::move(points));
            else ++odd["of fewer than three points"];
        }
        for (const auto& [what, count] : odd) region.odd_contours.push_back(std::to_string(count) + " contours " + what + " close no area and are left out");
        if (!region.contours.empty()) out.regions.push_back(std::move(region));
    }
    if (out.regions.empty()) return Error{Code::empty_mask, "RT Structure Set: it holds no closed contour", "ingest"};
    return out;
}

}  // namespace retromass::ingest
