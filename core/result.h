#pragma once

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/codes.h"

namespace retromass {

/// Why something could not be done. `message` is one sentence for the person at the scanner: series, slice,
/// expected, found, what to do next. It never holds patient data. `where` grows from the inside out
/// ("ingest: read_series") as rooms hand the error on.
struct Error {
    Code code = Code::internal;
    std::string message;
    std::string where;
};

/// A value, or the reason there is none. Test it before use; using the absent side is our own mistake and asserts.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const { return content_.index() == 0; }
    explicit operator bool() const { return ok(); }

    T& value() & { check(); return std::get<0>(content_); }
    const T& value() const& { check(); return std::get<0>(content_); }
    T&& value() && { check(); return std::get<0>(std::move(content_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const& { return std::get<1>(content_); }
    Error&& error() && { return std::get<1>(std::move(content_)); }

private:
    void check() const
    {
        if (!ok()) {
            std::cerr << "retromass: value of a failed result used: " << std::get<1>(content_).message << '\n';
            std::abort();
        }
    }
    std::variant<T, Error> content_;
};

/// Success without a value.
struct Done {};
using Status = Result<Done>;

/// The error with this room's name in front of its place.
inline Error at(Error error, const std::string& room)
{
    error.where = error.where.empty() ? room : room + ": " + error.where;
    return error;
}

}  // namespace retromass

#define RETROMASS_JOIN_(a, b) a##b
#define RETROMASS_JOIN(a, b) RETROMASS_JOIN_(a, b)

/// Hands the error on to the caller, or goes on.
#define RETROMASS_TRY(expression)                                                     \
    do {                                                                              \
        auto retromass_status_ = (expression);                                        \
        if (!retromass_status_.ok()) return std::move(retromass_status_).error();     \
    } while (false)

/// `RETROMASS_TRY_ASSIGN(const auto x, f());` declares x from the value, or hands the error on.
#define RETROMASS_TRY_ASSIGN(declaration, expression)                                                         \
    auto RETROMASS_JOIN(retromass_result_, __LINE__) = (expression);                                          \
    if (!RETROMASS_JOIN(retromass_result_, __LINE__).ok())                                                    \
        return std::move(RETROMASS_JOIN(retromass_result_, __LINE__)).error();                                \
    declaration = std::move(RETROMASS_JOIN(retromass_result_, __LINE__)).value()

/// Our own mistake, not the case's: says why this cannot be and stops.
#define RETROMASS_ASSERT(condition, why)                                                              \
    do {                                                                                              \
        if (!(condition)) {                                                                           \
            std::cerr << "retromass: " << __FILE__ << ':' << __LINE__ << ": " << (why) << '\n';       \
            std::abort();                                                                             \
        }                                                                                             \
    } while (false)
