#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/outputs/outputs.h"

/// The DICOM objects that only a finished case has, beside the SEG and the report of outputs.h.
namespace retromass::outputs {

/// Fractional SEG (PROBABILITY, 0..255) of the probability maps that the masks were cut from; the segments are those of the masks.
Result<ObjectReference> write_probability_seg(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::vector<const ProbabilityMap*>& maps,
                                              const std::vector<SegDescription>& segments, const ObjectParameters& parameters = {});

/// SEG of masks on a right-angled grid with one distance between slices (rectified.h), which has a series of its own beside that of the native slices.
Result<ObjectReference> write_rectified_seg(const std::filesystem::path& file, const ingest::CtSeries& grid, const std::vector<const Mask*>& masks, const std::vector<SegDescription>& segments,
                                            const ObjectParameters& parameters = {});

/// RT Structure Set: each mask as closed contours along pixel edges on its slices, holes joined by a channel of no width. Filling them by the
/// even-odd rule at pixel centres gives the mask again.
Result<ObjectReference> write_structure_set(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::vector<const Mask*>& masks,
                                            const std::vector<SegDescription>& segments, const ObjectParameters& parameters = {});

struct RgbPicture {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> pixels;  ///< red, green, blue; row by row
};
/// Reads a PNG that was written here.
Result<RgbPicture> read_picture(const std::filesystem::path& file);
/// Secondary capture of a picture; `number` is its place in the series of the time point's pictures.
Result<ObjectReference> write_capture(const std::filesystem::path& file, const ingest::CtSeries& ct, const RgbPicture& picture, const std::string& title, int number,
                                      const ObjectParameters& parameters = {});

/// A PDF in DICOM, in the study of the CT.
Result<ObjectReference> write_encapsulated_pdf(const std::filesystem::path& file, const ingest::CtSeries& ct, const std::filesystem::path& pdf, const std::string& title,
                                               const ObjectParameters& parameters = {});

/// What a written object is, and which one it replaced.
struct ObjectIdentity {
    ObjectReference self;
    std::optional<ObjectReference> predecessor;
};
/// Empty where the file is no DICOM object.
std::optional<ObjectIdentity> identity_of(const std::filesystem::path& file);

/// Who verifies a report, and when (ISO 8601).
struct Verifier {
    std::string reader;
    std::string time;
};
/// The report as a new instance that is complete and verified and names the one it replaces; nothing of its content is touched.
Result<ObjectReference> sign_report(const std::filesystem::path& report, const std::filesystem::path& signed_file, const Verifier& verifier, const std::string& uid_root);

}  // namespace retromass::outputs
