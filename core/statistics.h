#pragma once

/// The distributions that intervals of estimates are taken from.
namespace retromass {

/// Probability of a Student t beyond +-t.
double student_two_sided_p(double t, int freedom);
/// The t that leaves 5 % outside +-t.
double student_t_95(int freedom);
/// The x below which that share of the chi-square distribution lies, 0 < share < 1.
double chi_square_quantile(double share, int freedom);

}  // namespace retromass
