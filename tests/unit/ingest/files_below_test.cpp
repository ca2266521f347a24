#include "pipeline/ingest/ingest.h"

#include <gmock/gmock.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/scratch.h"

namespace retromass::ingest {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void put(const fs::path& file)
{
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "x";
}

TEST(FilesBelow, FollowsLinksToFoldersAndFiles)
{
    const test::Scratch folder;
    const auto& scratch = folder.path();
    put(scratch / "elsewhere" / "deep" / "1.dcm");
    put(scratch / "elsewhere" / "2.dcm");
    const auto root = scratch / "root";
    put(root / "own.dcm");
    fs::create_directory_symlink(scratch / "elsewhere" / "deep", root / "linked");
    fs::create_symlink(scratch / "elsewhere" / "2.dcm", root / "two.dcm");
    const auto below = files_below(root);
    ASSERT_TRUE(below);
    EXPECT_THAT(below->files, ElementsAre(root / "linked" / "1.dcm", root / "own.dcm", root / "two.dcm"));
    EXPECT_THAT(below->unread, IsEmpty());
}

TEST(FilesBelow, ReadsEachFolderOnceAndNeverRunsInACircle)
{
    const test::Scratch folder;
    const auto& scratch = folder.path();
    put(scratch / "b" / "1.dcm");
    fs::create_directory_symlink(scratch / "b", scratch / "a");        // sorts before the folder it leads to
    fs::create_directory_symlink(scratch, scratch / "b" / "up");
    fs::create_directory_symlink("itself", scratch / "itself");
    const auto below = files_below(scratch);
    ASSERT_TRUE(below);
    EXPECT_THAT(below->files, ElementsAre(scratch / "b" / "1.dcm"));
    ASSERT_EQ(below->unread.size(), 1U);
    EXPECT_EQ(below->unread[0].first, scratch / "itself");
}

TEST(FilesBelow, SaysWhatCouldNotBeFollowedAndGoesOn)
{
    const test::Scratch folder;
    const auto& scratch = folder.path();
    put(scratch / "1.dcm");
    put(scratch / "z" / "2.dcm");
    fs::create_symlink(scratch / "gone", scratch / "dangling");
    ASSERT_EQ(mkfifo((scratch / "pipe").c_str(), 0600), 0);  // opening it would wait for ever
    const auto below = files_below(scratch);
    ASSERT_TRUE(below);
    EXPECT_THAT(below->files, ElementsAre(scratch / "1.dcm", scratch / "z" / "2.dcm"));
    ASSERT_EQ(below->unread.size(), 1U);
    EXPECT_EQ(below->unread[0].first, scratch / "dangling");
    EXPECT_THAT(below->unread[0].second, HasSubstr("not looked at"));
}

TEST(FilesBelow, AFolderThatMayNotBeListedIsNamed)
{
    const test::Scratch folder;
    const auto& scratch = folder.path();
    put(scratch / "closed" / "1.dcm");
    put(scratch / "open" / "2.dcm");
    fs::permissions(scratch, fs::perms(0755));
    fs::permissions(scratch / "closed", fs::perms::none);
    const int before = setfsuid(geteuid() == 0 ? 65534 : geteuid());  // root may list everything: for this look, nobody
    const auto below = files_below(scratch);
    setfsuid(static_cast<uid_t>(before));
    fs::permissions(scratch / "closed", fs::perms::owner_all);
    ASSERT_TRUE(below);
    EXPECT_THAT(below->files, ElementsAre(scratch / "open" / "2.dcm"));
    ASSERT_EQ(below->unread.size(), 1U);
    EXPECT_EQ(below->unread[0].first, scratch / "closed");
}

}  // namespace
}  // namespace retromass::ingest
