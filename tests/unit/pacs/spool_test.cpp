#include "pipeline/pacs/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/pacs/query.h"
#include "tests/support/scratch.h"

namespace retromass::pacs {
namespace {

const ObjectName kName{"1.2.3", "1.2.3.1", "1.2.3.1.7"};

/// A file as PS3.10 7.1 has it: preamble, a meta group of `sender`, then the data set.
std::string dicom_file(const std::string& sender, const std::string& data_set)
{
    const auto size = static_cast<char>(sender.size());
    return std::string(128, '\0') + "DICM" + std::string("\2\0\0\0UL\4\0", 8) + size + std::string(3, '\0') + sender + data_set;
}

class SpoolFolder : public testing::Test {
protected:
    Result<Placed> bring(const Spool& spool, const std::string& content, const ObjectName& name = kName)
    {
        const auto file = spool.incoming(1, ++received_);
        std::ofstream(file, std::ios::binary) << content;
        return spool.place(file, name);
    }
    std::vector<std::string> files() const
    {
        std::vector<std::string> out;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch_.path())) {
            if (entry.is_regular_file() && entry.path().filename() != "lock") out.push_back(entry.path().lexically_relative(scratch_.path()).string());
        }
        std::sort(out.begin(), out.end());
        return out;
    }
    test::Scratch scratch_;
    int received_ = 0;
};

}  // namespace

TEST(IsUid, TakesNumbersJoinedByDotsAndNothingThatCouldBeAPath)
{
    EXPECT_TRUE(is_uid("1.2.840.10008.1.1"));
    EXPECT_TRUE(is_uid(std::string(64, '1')));
    for (const std::string not_one : {"", ".", "..", "1..2", ".1", "1.", "1/2", "../1", "1.2 ", "1.2a", "-1"}) EXPECT_FALSE(is_uid(not_one)) << not_one;
    EXPECT_FALSE(is_uid(std::string(65, '1'))) << "PS3.5 9.1: 64 characters at most";
    EXPECT_FALSE(is_uid(std::string("1.2\0", 4)));
}

TEST_F(SpoolFolder, KeepsAnObjectOnceAndAnotherOneUnderItsUidBesideIt)
{
    const auto spool = Spool::open(scratch_.path());
    ASSERT_TRUE(spool.ok());
    EXPECT_EQ(*bring(*spool, dicom_file("CT1", "first")), Placed::stored);
    EXPECT_EQ(*bring(*spool, dicom_file("OTHER", "first")), Placed::identical) << "who sent it is no part of the object";
    EXPECT_EQ(*bring(*spool, dicom_file("CT1", "other")), Placed::conflicting);
    EXPECT_EQ(*bring(*spool, dicom_file("CT1", "other")), Placed::conflicting_again);
    EXPECT_EQ(*bring(*spool, dicom_file("CT1", "third one")), Placed::conflicting);
    EXPECT_THAT(files(), testing::ElementsAre("objects/1.2.3/1.2.3.1/1.2.3.1.7.dcm", "objects/1.2.3/conflicting/1.2.3.1.7-1.dcm", "objects/1.2.3/conflicting/1.2.3.1.7-2.dcm"));
    std::ifstream kept(scratch_.path() / "objects/1.2.3/1.2.3.1/1.2.3.1.7.dcm", std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(kept), {}), dicom_file("CT1", "first")) << "what is there is never replaced";
}

TEST_F(SpoolFolder, RefusesNamesThatLeadOutOfIt)
{
    const auto spool = Spool::open(scratch_.path() / "spool");
    ASSERT_TRUE(spool.ok());
    for (const auto& name : {ObjectName{"../../x", "1", "1"}, ObjectName{"1", "..", "1"}, ObjectName{"1", "1", "/etc/x"}, ObjectName{"1", "1", ""}}) EXPECT_FALSE(bring(*spool, "x", name).ok());
    for (const auto& file : files()) EXPECT_THAT(file, testing::StartsWith("spool/incoming/"));
}

TEST_F(SpoolFolder, IsOfOneNodeAndForgetsWhatWasOnItsWay)
{
    {
        const auto spool = Spool::open(scratch_.path());
        ASSERT_TRUE(spool.ok());
        std::ofstream(spool->incoming(7, 1)) << "half";
        EXPECT_FALSE(Spool::open(scratch_.path()).ok());
    }
    EXPECT_THAT(files(), testing::ElementsAre("incoming/7-1"));
    const auto again = Spool::open(scratch_.path());
    ASSERT_TRUE(again.ok()) << "the lock ends with its spool";
    EXPECT_THAT(files(), testing::IsEmpty());
}

TEST_F(SpoolFolder, AStudyIsHandledUntilAnotherObjectComes)
{
    const auto spool = Spool::open(scratch_.path());
    ASSERT_TRUE(spool.ok());
    ASSERT_TRUE(bring(*spool, dicom_file("CT1", "first")).ok());
    EXPECT_FALSE(spool->handled("1.2.3"));
    ASSERT_TRUE(spool->note_handled("1.2.3", spool->content("1.2.3"), "measured").ok());
    EXPECT_TRUE(spool->handled("1.2.3"));
    EXPECT_EQ(spool->outcome("1.2.3"), "measured");
    EXPECT_THAT(spool->studies(), testing::ElementsAre("1.2.3"));
    ASSERT_TRUE(bring(*spool, dicom_file("CT1", "first")).ok());
    EXPECT_TRUE(spool->handled("1.2.3")) << "the same object again is nothing new";
    ASSERT_TRUE(bring(*spool, dicom_file("CT1", "second"), {"1.2.3", "1.2.3.1", "1.2.3.1.8"}).ok());
    EXPECT_FALSE(spool->handled("1.2.3"));
    EXPECT_EQ(spool->content("1.2.3").objects, 2u);
    EXPECT_EQ(spool->bytes(), 2 * dicom_file("CT1", "").size() + 5 + 6);
}

}  // namespace retromass::pacs
