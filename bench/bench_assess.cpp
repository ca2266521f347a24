// How long do 10,000 patients take from a table to every category by every criterion?

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "bench/timing.h"
#include "pipeline/run/run.h"

namespace {

using namespace retromass;

constexpr int kVisits = 6;
constexpr int kTargets = 4;

/// Six visits eight weeks apart of four measured targets in two organs and a non-target lesion: as large as a patient of a trial usually is. Each length with its interval, or none.
void write_trial(const std::filesystem::path& file, int patients, bool intervals)
{
    std::mt19937 random(6);  // its sequence is fixed by the standard: the same table everywhere
    const auto tenths = [&](unsigned low, unsigned high) { return low + random() % (high - low); };
    const auto mm = [](unsigned tenths_mm) { return std::to_string(tenths_mm / 10) + "." + std::to_string(tenths_mm % 10); };
    std::ofstream out(file);
    out << "case,timepoint,day,lesion,role,organ,status,long_axis_mm,short_axis_mm,volume_ml,hu_mean,new_lesions,length_low_mm,length_high_mm\n";
    for (int patient = 0; patient < patients; ++patient) {
        unsigned first[kTargets];
        for (auto& size : first) size = tenths(120, 900);
        for (int visit = 0; visit < kVisits; ++visit) {
            const auto row = "P" + std::to_string(patient) + ",v" + std::to_string(visit) + "," + std::to_string(56 * visit) + ",";
            for (int target = 0; target < kTargets; ++target) {
                const unsigned size = first[target] * tenths(65, 130) / 100;
                out << row << "T" << target << ",target," << (target < 2 ? "liver" : "lung") << ",measured," << mm(size) << "," << mm(size * 7 / 10) << "," << mm(size * size / 2000 * size / 100) << "," << tenths(20, 90) << ",none," << (intervals ? mm(size * 95 / 100) + "," + mm(size * 106 / 100) : ",") << '\n';
            }
            out << row << "N0,non-target,bone,present,,,,,none,,\n";
        }
    }
}

void ask(const std::string& question, int patients, bool intervals, double limit_s, int repeats)
{
    const auto file = std::filesystem::temp_directory_path() / ("retromass_bench_assess_" + std::to_string(getpid()) + ".csv");
    write_trial(file, patients, intervals);
    retromass::bench::answer({.text = question, .limit_s = limit_s, .repeats = repeats, .ours = [&] {
                                  const auto read = run::read_table({file, {}, {}});
                                  if (!read || static_cast<int>(read->size()) != patients) std::abort();
                                  for (const auto& patient : *read) {
                                      const auto assessed = response::assess(patient);
                                      if (!assessed || assessed->recist.back().repeats.differs.has_value() != intervals) std::abort();
                                  }
                              }});
    std::filesystem::remove(file);
}

}  // namespace

int main()
{
    ask("10,000 patients of six visits from a table to every category by every criterion", 10000, false, 5, 3);
    ask("1,000 patients of six visits whose lengths have intervals: how often each category would differ in 4000 repeats", 1000, true, 0, 1);
}
