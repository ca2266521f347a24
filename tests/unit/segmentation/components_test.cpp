#include "segmentation/itk/components.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <thread>

namespace retromass::segmentation {
namespace {

auto threads_of_this_program()
{
    using Entries = std::filesystem::directory_iterator;
    return std::distance(Entries("/proc/self/task"), Entries());
}

TEST(SeededComponents, StartNoThreadForEachCore)
{
    std::thread([] {}).join();  // a sanitizer's own thread begins with the first
    const auto before = threads_of_this_program();
    const Dimensions size{4, 4, 4};
    EXPECT_EQ(seeded_components(Mask(size, 1), Mask(size, 1))[0], 1);
    EXPECT_LE(threads_of_this_program() - before, 1);  // ITK keeps one in any case
}

}  // namespace
}  // namespace retromass::segmentation
