#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// How far two readers agree, and repeats of one measurement lie apart.
namespace retromass::trial {

/// The arithmetic mean; not a number where there is nothing.
double mean_of(std::span<const double> values);

/// With its 95 % interval; empty where there are too few to say.
struct Estimate {
    double value = 0;
    std::optional<double> low;
    std::optional<double> high;
};

/// Bland and Altman, Stat Methods Med Res 1999;8:135: bias and limits of agreement (bias -+ 1.96 SD) of differences. The interval of the bias is
/// +-t SD/sqrt(n), that of a limit +-t SD sqrt(1/n + 1.96^2/(2(n-1))), t with n-1 degrees of freedom.
struct BlandAltman {
    std::size_t pairs = 0;
    double sd = 0;
    Estimate bias;
    Estimate lower;
    Estimate upper;
};
/// Limits need two differences.
std::optional<BlandAltman> bland_altman(std::span<const double> differences);

/// Cohen's kappa, unweighted, with the large-sample interval of Fleiss, Cohen and Everitt (Psychol Bull 1969;72:323), cut at -1 and 1.
struct Kappa {
    std::size_t pairs = 0;
    double observed = 0;                   ///< share that agrees
    double by_chance = 0;
    Estimate kappa;
};
/// Empty without pairs, and where both readers used one and the same category only: chance then explains all.
std::optional<Kappa> cohens_kappa(std::span<const std::pair<std::string, std::string>> pairs);

/// Spread of repeats within lesions: sqrt(sum of squares within / degrees of freedom), its interval by chi-square.
struct WithinSpread {
    int lesions = 0;
    int freedom = 0;
    Estimate sd;
};
/// `repeats`: the values of each lesion. Lesions with one value say nothing; empty without any repeat.
std::optional<WithinSpread> within_spread(std::span<const std::vector<double>> repeats);

}  // namespace retromass::trial
