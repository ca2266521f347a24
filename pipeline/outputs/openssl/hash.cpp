#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>
#include <span>

#include "pipeline/outputs/outputs.h"

namespace retromass::outputs {
namespace {

using Digest = std::array<unsigned char, 32>;

class Sha256 {
public:
    Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { RETROMASS_ASSERT(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "libcrypto has SHA-256"); }
    void add(std::span<const char> bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
    Digest finish()
    {
        Digest digest{};
        unsigned int size = 0;
        EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
        return digest;
    }

private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

std::string hex(const Digest& digest)
{
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const auto byte : digest) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

Digest digest_of(std::string_view text)
{
    Sha256 sum;
    sum.add({text.data(), text.size()});
    return sum.finish();
}

}  // namespace

std::string sha256_of_text(std::string_view text) { return hex(digest_of(text)); }

Result<std::string> sha256_of_file(const std::filesystem::path& file)
{
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error{Code::io, "cannot read " + file.string(), "outputs"};
    Sha256 sum;
    std::vector<char> block(1 << 20);
    while (in) {
        in.read(block.data(), static_cast<std::streamsize>(block.size()));
        sum.add({block.data(), static_cast<std::size_t>(in.gcount())});
    }
    if (in.bad()) return Error{Code::io, "reading " + file.string() + " failed", "outputs"};
    return hex(sum.finish());
}

// PS3.5 B.2: under "2.25" a 128-bit number in decimal, at most 44 characters; the same number under any other root. The bits are a hash's, so the number is
// made the form of a name-based UUID (version 8, variant 10) as the standard asks for a UUID there.
std::string derived_uid(const std::string& name, const std::string& root)
{
    auto digest = digest_of("retromass uid " + name);
    digest[6] = static_cast<unsigned char>((digest[6] & 0x0f) | 0x80);
    digest[8] = static_cast<unsigned char>((digest[8] & 0x3f) | 0x80);
    std::string decimal;
    bool left = true;
    while (left) {  // long division of the first 16 bytes by ten
        unsigned remainder = 0;
        left = false;
        for (int i = 0; i < 16; ++i) {
            const unsigned value = remainder * 256 + digest[static_cast<std::size_t>(i)];
            digest[static_cast<std::size_t>(i)] = static_cast<unsigned char>(value / 10);
            remainder = value % 10;
            left = left || digest[static_cast<std::size_t>(i)] != 0;
        }
        decimal.insert(decimal.begin(), static_cast<char>('0' + remainder));
    }
    return std::string(root).append(".").append(decimal);
}

std::string fault_of_uid(std::string_view uid)
{
    constexpr std::size_t kLongest = 64;
    if (uid.size() > kLongest) return "it has more than " + std::to_string(kLongest) + " characters";
    bool fresh = true;  // at the start of a component
    for (std::size_t i = 0; i < uid.size(); ++i) {
        const bool last = i + 1 == uid.size() || uid[i + 1] == '.';
        if (fresh && (uid[i] < '0' || uid[i] > '9' || (uid[i] == '0' && !last))) return "its components are numbers without leading zeros";
        if (!fresh && uid[i] != '.' && (uid[i] < '0' || uid[i] > '9')) return "it holds digits and full stops only";
        fresh = uid[i] == '.';
    }
    return fresh ? "it ends without a number" : "";
}

Status check_uid_root(const std::string& root)
{
    constexpr std::size_t kLongest = 64 - 1 - 39;  // a UID has 64 characters, 128 bits have 39 digits
    auto fault = fault_of_uid(root);
    if (root.size() > kLongest) fault = "at most " + std::to_string(kLongest) + " characters leave room for the UIDs below it";
    if (!fault.empty()) return Error{Code::usage, "UID root " + root + ": " + fault, "outputs"};
    return Done{};
}

}  // namespace retromass::outputs
