#include "pipeline/pacs/inbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "sample_data/phantom.h"
#include "tests/support/scratch.h"

namespace retromass::pacs {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A series of four slices as it lies at the peer.
struct AtThePeer {
    test::Scratch scratch;
    std::vector<fs::path> files;
    std::vector<ObjectHeader> headers;

    AtThePeer()
    {
        sample_data::ShapeSpecification small;
        small.grid = {8, 8, 4};
        const auto phantom = sample_data::make_shape(small);
        sample_data::DicomDescription description;
        description.uid_seed = "inbox";
        EXPECT_TRUE(sample_data::write_dicom(scratch.path() / "peer", phantom->ct, description, 1).ok());
        for (const auto& entry : fs::directory_iterator(scratch.path() / "peer")) files.push_back(entry.path());
        for (const auto& file : files) headers.push_back(*read_object_header(file));
    }
    GetRequest request() const { return {headers[0].study_instance_uid, "", scratch.path() / "here"}; }
    Result<Inbox> inbox() const
    {
        auto out = Inbox::open(request(), {});
        for (const auto& header : headers) EXPECT_TRUE(out->expect(header.series_instance_uid, header.sop_instance_uid).ok());
        return out;
    }
    std::vector<std::byte> bytes(std::size_t which) const
    {
        std::ifstream in(files[which], std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        const auto span = std::as_bytes(std::span(text));
        return {span.begin(), span.end()};
    }
    /// Names of all files of the inbox.
    std::vector<std::string> here() const
    {
        std::vector<std::string> out;
        for (const auto& entry : fs::recursive_directory_iterator(scratch.path() / "here")) {
            if (entry.is_regular_file()) out.push_back(entry.path().filename().string());
        }
        return out;
    }
};

TEST(ReadObjectHeader, SaysWhetherThePatientIsGenerated)
{
    const AtThePeer peer;
    EXPECT_TRUE(peer.headers[0].synthetic);
    EXPECT_EQ(peer.headers[0].sop_class_uid, "1.2.840.10008.5.1.4.1.1.2");
    EXPECT_FALSE(read_object_header(peer.scratch.write("notes.txt", "no DICOM")).ok());
}

TEST(Inbox, TakesAnObjectUnderItsIdentifierAndCountsIt)
{
    const AtThePeer peer;
    auto inbox = peer.inbox();
    const auto uid = peer.headers[1].sop_instance_uid;
    EXPECT_TRUE(inbox->wants(uid));
    ASSERT_TRUE(inbox->take(uid, peer.bytes(1)).ok());
    EXPECT_FALSE(inbox->wants(uid));
    EXPECT_THAT(peer.here(), ElementsAre(uid + ".dcm"));
    EXPECT_EQ(inbox->result().received, 1u);
    EXPECT_THAT(inbox->result().missing, SizeIs(3));
}

TEST(Inbox, ARetrievalGoesOnWhereTheLastOneStoppedAndClearsItsHalfFiles)
{
    const AtThePeer peer;
    const auto uid = peer.headers[1].sop_instance_uid;
    {
        auto first = peer.inbox();
        ASSERT_TRUE(first->take(uid, peer.bytes(1)).ok());
        const auto part = first->part(peer.headers[2].sop_instance_uid);
        ASSERT_TRUE(part.ok());
        std::ofstream(*part) << "half";
        EXPECT_THAT(peer.here(), SizeIs(2));
    }
    const auto second = peer.inbox();
    EXPECT_THAT(peer.here(), ElementsAre(uid + ".dcm"));
    EXPECT_EQ(second->result().already, 1u);
    EXPECT_TRUE(second->wants(peer.headers[2].sop_instance_uid));
}

TEST(Inbox, ACutOrForeignObjectIsNotKept)
{
    const AtThePeer peer;
    auto inbox = peer.inbox();
    const auto uid = peer.headers[1].sop_instance_uid;
    const auto other = inbox->take(uid, peer.bytes(2));
    ASSERT_FALSE(other.ok());
    EXPECT_THAT(other.error().message, HasSubstr("another object"));
    auto cut = peer.bytes(1);
    cut.resize(200);
    EXPECT_FALSE(inbox->take(uid, cut).ok());
    EXPECT_FALSE(inbox->take(uid, {}).ok());
    EXPECT_THAT(peer.here(), IsEmpty());
    EXPECT_TRUE(inbox->wants(uid));
    EXPECT_FALSE(inbox->broken().has_value()) << "the next object may be good";
}

TEST(Inbox, ALostPartIsTheDisksFaultOnlyWhereTheDiskTakesNoMore)
{
    const AtThePeer peer;
    auto inbox = peer.inbox();
    const auto uid = peer.headers[1].sop_instance_uid;
    std::ofstream(*inbox->part(uid)) << "half";
    inbox->lose(uid);
    EXPECT_THAT(peer.here(), IsEmpty());
    EXPECT_FALSE(inbox->broken().has_value());
    fs::create_symlink("/dev/full", *inbox->part(uid));
    inbox->lose(uid);
    ASSERT_TRUE(inbox->broken().has_value());
    EXPECT_EQ(inbox->broken()->code, Code::disk_space);
    EXPECT_THAT(peer.here(), IsEmpty());
    EXPECT_FALSE(inbox->goes_on());
}

TEST(Inbox, AnIdentifierThatIsNoUidNeverBecomesAPath)
{
    const AtThePeer peer;
    auto inbox = peer.inbox();
    for (const char* bad : {"../../escape", "/etc/passwd", "..", ""}) {
        EXPECT_FALSE(inbox->expect("1.2.3", bad).ok()) << bad;
        EXPECT_FALSE(inbox->expect(bad, "1.2.3").ok()) << bad;
        EXPECT_FALSE(inbox->wants(bad)) << bad;
    }
}

TEST(Inbox, TwoRetrievalsDoNotWriteToOneFolder)
{
    const AtThePeer peer;
    const auto first = peer.inbox();
    const auto second = Inbox::open(peer.request(), {});
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(second.error().message, HasSubstr("another retrieval"));
}

}  // namespace
}  // namespace retromass::pacs
