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

}  // namespace
}  // namespace retromass::outputs
