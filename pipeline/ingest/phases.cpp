#include "pipeline/ingest/phases.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "pipeline/ingest/elements.h"

namespace retromass::ingest {
namespace {

bool apart(const Header* a, const Header* b) { return position_mm(*b) - position_mm(*a) > kSamePosition_mm; }

/// "9" before "10": numbers by value, then text.
struct ByValue {
    bool operator()(const std::string& a, const std::string& b) const
    {
        const auto x = number_of(a);
        const auto y = number_of(b);
        if (x && y && *x != *y) return *x < *y;
        if (x.has_value() != y.has_value()) return x.has_value();
        return a < b;
    }
};

bool clean(const Images& stack)
{
    if (stack.size() < 2) return false;
    for (std::size_t k = 1; k < stack.size(); ++k) {
        if (!apart(stack[k - 1], stack[k])) return false;
    }
    return true;
}

/// Runs of Instance Number, each passing every position exactly once.
std::optional<Phases> by_blocks(const Images& sorted)
{
    std::vector<std::size_t> place(sorted.size(), 0);
    for (std::size_t i = 1; i < sorted.size(); ++i) place[i] = place[i - 1] + (apart(sorted[i - 1], sorted[i]) ? 1 : 0);
    const auto places = place.back() + 1;
    if (sorted.size() % places != 0 || places < 2) return std::nullopt;
    std::vector<std::size_t> order(sorted.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](auto a, auto b) { return sorted[a]->instance_number < sorted[b]->instance_number; });
    Phases out{"blocks of Instance Number", {}};
    for (std::size_t start = 0; start < order.size(); start += places) {
        const auto begin = order.begin() + static_cast<std::ptrdiff_t>(start);
        std::vector<std::size_t> block(begin, begin + static_cast<std::ptrdiff_t>(places));
        std::set<std::size_t> reached;
        for (const auto i : block) reached.insert(place[i]);
        if (reached.size() != places) return std::nullopt;
        if (start > 0 && sorted[order[start - 1]]->instance_number == sorted[order[start]]->instance_number) return std::nullopt;
        std::sort(block.begin(), block.end(), [&](auto a, auto b) { return place[a] < place[b]; });
        Images stack;
        for (const auto i : block) stack.push_back(sorted[i]);
        out.stacks.push_back(std::move(stack));
    }
    return out;
}

}  // namespace

std::optional<Phases> told_apart(const Images& sorted)
{
    using Key = std::function<std::string(const Header&)>;
    const std::vector<std::pair<const char*, Key>> keys{
        {"Acquisition Number", [](const Header& h) { return h.acquisition_number; }},
        {"temporal position", [](const Header& h) { return h.temporal_position; }},
        {"stack", [](const Header& h) { return h.stack_id; }},
        {"acquisition time", [](const Header& h) { return h.acquisition_time; }},
        {"cardiac phase or trigger time", [](const Header& h) { return h.contrast_time; }},
        {"Image Type", [](const Header& h) { return h.facts.image_type; }},
        {"kernel", [](const Header& h) { return h.facts.kernel; }},
        {"slice thickness", [](const Header& h) { return h.facts.slice_thickness_mm ? std::to_string(*h.facts.slice_thickness_mm) : std::string(); }},
        {"multi-frame file", [](const Header& h) { return h.multi_frame ? h.source.sop_instance_uid : std::string(); }},
    };
    for (const auto& [what, key] : keys) {
        std::map<std::string, Images, ByValue> groups;
        for (auto* h : sorted) groups[key(*h)].push_back(h);
        if (groups.size() < 2 || !std::all_of(groups.begin(), groups.end(), [](const auto& group) { return clean(group.second); })) continue;
        Phases out{what, {}};
        for (auto& [unused, group] : groups) out.stacks.push_back(std::move(group));
        return out;
    }
    return by_blocks(sorted);
}

}  // namespace retromass::ingest
