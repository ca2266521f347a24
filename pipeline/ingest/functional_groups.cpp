#include "pipeline/ingest/functional_groups.h"

namespace retromass::ingest {
namespace {

constexpr Tag kPlanePosition = 0x00209113;
constexpr Tag kPlaneOrientation = 0x00209116;
constexpr Tag kPixelMeasures = 0x00289110;
constexpr Tag kPixelValueTransformation = 0x00289145;
constexpr Tag kFrameContent = 0x00209111;
constexpr Tag kCtImageFrameType = 0x00189329;
constexpr Tag kCtReconstruction = 0x00189314;
constexpr Tag kCtXRayDetails = 0x00189325;
constexpr Tag kCardiacSynchronization = 0x00189118;

void read_group(Tag group, Bytes item, Encoding encoding, FrameFacts& out)
{
    Cursor cursor(item, encoding);
    Element e;
    while (cursor.next(e) == Step::element) {
        const auto text = text_of(e.value);
        const auto key = static_cast<std::uint64_t>(group) << 32 | e.tag;
        switch (key) {
        case std::uint64_t{kPlanePosition} << 32 | 0x00200032: out.position = triple_of(text, 0); break;
        case std::uint64_t{kPlaneOrientation} << 32 | 0x00200037:
            out.column_step = triple_of(text, 0);
            out.row_step = triple_of(text, 3);
            break;
        case std::uint64_t{kPixelMeasures} << 32 | 0x00280030:
            out.row_spacing_mm = number_of(value_of(text, 0));  // DICOM: first the distance between rows
            out.column_spacing_mm = number_of(value_of(text, 1));
            break;
        case std::uint64_t{kPixelMeasures} << 32 | 0x00180050: out.slice_thickness_mm = number_of(text); break;
        case std::uint64_t{kPixelValueTransformation} << 32 | 0x00281052: out.intercept = number_of(text); break;
        case std::uint64_t{kPixelValueTransformation} << 32 | 0x00281053: out.slope = number_of(text); break;
        case std::uint64_t{kPixelValueTransformation} << 32 | 0x00281054: out.rescale_type = text; break;
        case std::uint64_t{kFrameContent} << 32 | 0x00209056: out.stack_id = text; break;
        case std::uint64_t{kFrameContent} << 32 | 0x00209128:
            if (e.value.size() == 4) out.temporal_position = std::to_string(u32(e.value, 0, encoding.big_endian));
            break;
        case std::uint64_t{kFrameContent} << 32 | 0x00189074: out.acquisition_time = text; break;
        case std::uint64_t{kCardiacSynchronization} << 32 | 0x00209153:
        case std::uint64_t{kCardiacSynchronization} << 32 | 0x00209241: out.cardiac_phase.append(reinterpret_cast<const char*>(e.value.data()), e.value.size()); break;
        case std::uint64_t{kCtImageFrameType} << 32 | 0x00089007: out.frame_type = text; break;
        case std::uint64_t{kCtImageFrameType} << 32 | 0x00089206: out.volumetric = text; break;
        case std::uint64_t{kCtImageFrameType} << 32 | 0x00089207: out.technique = text; break;
        case std::uint64_t{kCtReconstruction} << 32 | 0x00181210: out.kernel = text; break;
        case std::uint64_t{kCtXRayDetails} << 32 | 0x00180060: out.kvp = number_of(text); break;
        default: break;
        }
    }
}

template <class T>
void prefer(T& out, const T& shared, bool stated)
{
    if (!stated) out = shared;
}

}  // namespace

FrameFacts frame_facts(Bytes item, Encoding encoding)
{
    FrameFacts out;
    Cursor cursor(item, encoding);
    Element e;
    while (cursor.next(e) == Step::element) {
        switch (e.tag) {
        case kPlanePosition:
        case kPlaneOrientation:
        case kPixelMeasures:
        case kPixelValueTransformation:
        case kFrameContent:
        case kCtImageFrameType:
        case kCtReconstruction:
        case kCtXRayDetails:
        case kCardiacSynchronization:
            if (const auto items = items_of(e, encoding, 1); !items.empty()) read_group(e.tag, items.front(), inside(e, encoding), out);
            break;
        default: break;
        }
    }
    return out;
}

FrameFacts merged(const FrameFacts& frame, const FrameFacts& shared)
{
    FrameFacts out = frame;
    prefer(out.position, shared.position, out.position.has_value());
    prefer(out.column_step, shared.column_step, out.column_step.has_value());
    prefer(out.row_step, shared.row_step, out.row_step.has_value());
    prefer(out.row_spacing_mm, shared.row_spacing_mm, out.row_spacing_mm.has_value());
    prefer(out.column_spacing_mm, shared.column_spacing_mm, out.column_spacing_mm.has_value());
    prefer(out.slice_thickness_mm, shared.slice_thickness_mm, out.slice_thickness_mm.has_value());
    prefer(out.slope, shared.slope, out.slope.has_value());
    prefer(out.intercept, shared.intercept, out.intercept.has_value());
    prefer(out.kvp, shared.kvp, out.kvp.has_value());
    prefer(out.rescale_type, shared.rescale_type, !out.rescale_type.empty());
    prefer(out.frame_type, shared.frame_type, !out.frame_type.empty());
    prefer(out.technique, shared.technique, !out.technique.empty());
    prefer(out.volumetric, shared.volumetric, !out.volumetric.empty());
    prefer(out.kernel, shared.kernel, !out.kernel.empty());
    prefer(out.stack_id, shared.stack_id, !out.stack_id.empty());
    prefer(out.temporal_position, shared.temporal_position, !out.temporal_position.empty());
    prefer(out.cardiac_phase, shared.cardiac_phase, !out.cardiac_phase.empty());
    prefer(out.acquisition_time, shared.acquisition_time, !out.acquisition_time.empty());
    return out;
}

}  // namespace retromass::ingest
