#include <gtest/gtest.h>

#include <fstream>

#include "pipeline/outputs/dcmtk/dataset.h"
#include "tests/support/scratch.h"

namespace retromass::outputs {
namespace {

TEST(Save, ReadsBackWhatItWroteAndSeesWhatTheDiskMadeOfIt)
{
    const test::Scratch scratch;
    DcmFileFormat object;
    auto& data = *object.getDataset();
    ASSERT_TRUE(put(data, DCM_SOPClassUID, UID_SecondaryCaptureImageStorage).ok());
    ASSERT_TRUE(put(data, DCM_ImageComments, "RESEARCH").ok());
    const std::vector<Uint8> pixels(1000, 7);
    ASSERT_TRUE(data.putAndInsertUint8Array(DCM_PixelData, pixels.data(), 1000).good());
    const auto file = scratch.path() / "object.dcm";
    ASSERT_TRUE(save(object, file, {}).ok());
    EXPECT_TRUE(same_on_disk(data, file).ok());
    const auto size = std::filesystem::file_size(file);
    {
        std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
        bytes.seekp(static_cast<std::streamoff>(size) - 10);
        bytes.put(8);  // one pixel
    }
    const auto changed = same_on_disk(data, file);
    ASSERT_FALSE(changed.ok());
    EXPECT_EQ(changed.error().code, Code::verification_failed);
    std::filesystem::resize_file(file, size - 100);
    EXPECT_EQ(same_on_disk(data, file).error().code, Code::verification_failed);
}

/// A data set with a sequence, a long text of numbers in it and a plain element.
void fill(DcmItem& data, const std::string& numbers, const std::string& name)
{
    ASSERT_TRUE(put(data, DCM_SOPClassUID, UID_RTStructureSetStorage).ok());
    auto region = add_item(data, DCM_ROIContourSequence);
    ASSERT_TRUE(region.ok());
    ASSERT_TRUE(put(**region, DCM_ContourData, numbers).ok());
    ASSERT_TRUE(put(**region, DCM_ROIName, name).ok());
}

TEST(Save, SeesOneNumberAndOneLetterWithinASequence)
{
    const test::Scratch scratch;
    std::string numbers = "0";
    for (int i = 1; i < 999; ++i) numbers += "\\" + std::to_string(i);
    DcmFileFormat object;
    fill(*object.getDataset(), numbers, "T1");
    const auto file = scratch.path() / "object.dcm";
    ASSERT_TRUE(save(object, file, {}).ok());
    const auto uid = text_of(*object.getDataset(), DCM_SOPInstanceUID);
    const auto holds = [&](const std::string& points, const std::string& name) {
        DcmFileFormat other;
        fill(*other.getDataset(), points, name);
        EXPECT_TRUE(put(*other.getDataset(), DCM_SOPInstanceUID, uid.c_str()).ok());
        return same_on_disk(*other.getDataset(), file).ok();
    };
    EXPECT_TRUE(holds(numbers, "T1"));
    EXPECT_FALSE(holds(numbers + "\\999", "T1"));
    EXPECT_FALSE(holds(numbers.substr(0, numbers.size() - 1) + "7", "T1"));
    EXPECT_FALSE(holds(numbers, "T2"));
    DcmFileFormat more;
    fill(*more.getDataset(), numbers, "T1");
    ASSERT_TRUE(put(*more.getDataset(), DCM_SOPInstanceUID, uid.c_str()).ok());
    ASSERT_TRUE(add_item(*more.getDataset(), DCM_ROIContourSequence).ok());
    EXPECT_FALSE(same_on_disk(*more.getDataset(), file).ok());
}

}  // namespace
}  // namespace retromass::outputs
