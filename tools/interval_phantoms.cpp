// Measures phantoms of known truth from prompts with a reader's jitter, for tools/calibrate_intervals.py.
//
//   interval_phantoms COUNT FIRST_SEED > ROWS.csv

#include <cmath>
#include <iostream>
#include <string>

#include "tools/interval_phantom.h"
#include "tools/interval_rows.h"

using namespace retromass;

int main(int argc, char** argv)
{
    if (argc != 3) {
        std::cerr << "usage: interval_phantoms COUNT FIRST_SEED\n";
        return 2;
    }
    const int count = std::stoi(argv[1]);
    const int first = std::stoi(argv[2]);
    std::cout << tools::kIntervalHeader << '\n';
    for (int i = first; i < first + count; ++i) {
        const auto phantom = tools::interval_phantom(i);
        segmentation::SegmentParameters parameters;
        parameters.threads = 1;
        parameters.variants = segmentation::kVariants;
        const auto made = segmentation::segment(phantom.ct, "", phantom.prompt, parameters);
        if (made) tools::write_interval_rows(std::cout, "phantoms", std::to_string(i), phantom.ct, *made, phantom.truth);
        else std::cerr << i << ": " << made.error().message << '\n';
    }
    return 0;
}
