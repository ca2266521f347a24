#pragma once

#include <string>
#include <vector>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {

struct CodedConcept {
    std::string value;
    std::string scheme;
    std::string meaning;
};

/// One content item of a structured report (PS3.3 C.17.3) and what hangs below it; what a value type does not use stays empty.
struct ContentItem {
    std::string relationship;            ///< to the item above; empty for the root
    std::string type;                    ///< value type: CONTAINER, CODE, TEXT, NUM, ...
    CodedConcept name;
    std::string text;                    ///< of TEXT, PNAME, UIDREF and DATE; the decimal of a NUM
    CodedConcept code;                   ///< of CODE; the unit of a NUM
    std::string graphic_type;            ///< of SCOORD and SCOORD3D
    std::vector<float> points;
    std::string frame_of_reference_uid;  ///< of SCOORD3D
    ObjectReference object;              ///< of IMAGE
    int frame = 0;                       ///< of IMAGE, from 1; 0 = the whole image
    int segment = 0;                     ///< of IMAGE, from 1; 0 = none
    std::string template_id;             ///< of CONTAINER
    std::vector<ContentItem> children;

    ContentItem& add(ContentItem child) { children.push_back(std::move(child)); return children.back(); }
};

/// Whether both ends of an axis lie on one slice of the CT. Those of a series that is not axial may lie across: there is no image to draw them on.
bool lies_on_a_slice(const measurement::Axis& axis, const ingest::CtSeries& ct);

/// Whether a reader has accepted or edited every lesion of the time point, and when: the report is then complete and verified.
struct Signature {
    std::string reader;
    std::string time;                    ///< ISO 8601, of the last decision
};
std::optional<Signature> signature_of(const TimepointResult& timepoint);

/// The report of one time point after TID 1500: for each lesion a volumetric group (TID 1411: segment, volume, density, craniocaudal extent) and
/// a planar one (TID 1410: contour, long and short axis on their image), then the response. `seg` holds the segments in the order of `segmented`.
ContentItem measurement_report(const CaseResult& result, const TimepointResult& timepoint, const std::vector<std::string>& segmented,
                               const std::optional<ObjectReference>& seg, const std::string& frame_of_reference_uid);

}  // namespace retromass::outputs
