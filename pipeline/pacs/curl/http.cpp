#include "pipeline/pacs/curl/http.h"

#include <array>
#include <fstream>
#include <iterator>

namespace retromass::pacs {
namespace {

constexpr const char* kWhere = "pacs: dicomweb";

struct Reception {
    HttpAnswer* answer;
    std::size_t most;
    const Progress* progress;
    bool too_much = false;
    bool stopped = false;
};

std::size_t take(char* bytes, std::size_t, std::size_t count, void* context)
{
    auto& reception = *static_cast<Reception*>(context);
    auto& body = reception.answer->body;
    if (count > reception.most - body.size()) {
        reception.too_much = true;
        return 0;
    }
    const auto* const first = reinterpret_cast<const std::byte*>(bytes);
    body.insert(body.end(), first, first + count);
    return count;
}

int watch(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
{
    auto& reception = *static_cast<Reception*>(context);
    reception.stopped = !goes_on(*reception.progress, "waiting for the peer", 0);
    return reception.stopped ? 1 : 0;
}

}  // namespace

Result<Http> Http::open(const Profile& profile)
{
    static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    Handle handle(started ? curl_easy_init() : nullptr, &curl_easy_cleanup);
    if (!handle) return Error{Code::internal, "libcurl cannot start", kWhere};
    Http http(profile, std::move(handle));
    if (profile.tls) {
        for (const auto& file : profile.tls->trusted) {
            std::ifstream in(file, std::ios::binary);
            http.authorities_.append(std::istreambuf_iterator<char>(in), {});
            http.authorities_ += '\n';
        }
    }
    return http;
}

std::string Http::escaped(const std::string& text)
{
    // RFC 3986 2.3 and 3.4: what need not be escaped; the wildcards are among it.
    std::string out;
    constexpr const char* kDigits = "0123456789ABCDEF";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~' || c == '*' || c == '?';
        if (plain) out += c;
        else out += std::string{'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    return out;
}

Result<HttpAnswer> Http::get(const std::string& path, const std::string& accept, std::size_t most, const Progress& progress)
{
    curl_easy_reset(handle_.get());
    return perform(path, {"Accept: " + accept}, most, progress);
}

Result<HttpAnswer> Http::post(const std::string& path, const std::string& accept, const std::string& content_type, std::span<const std::byte> body, const Progress& progress)
{
    curl_easy_reset(handle_.get());
    curl_easy_setopt(handle_.get(), CURLOPT_POST, 1L);
    curl_easy_setopt(handle_.get(), CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(handle_.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    constexpr std::size_t kMostSaid = 1 << 24;
    return perform(path, {"Accept: " + accept, "Content-Type: " + content_type, "Expect:"}, kMostSaid, progress);
}

Result<HttpAnswer> Http::perform(const std::string& path, const std::vector<std::string>& headers, std::size_t most, const Progress& progress)
{
    CURL* const curl = handle_.get();
    HttpAnswer answer;
    Reception reception{&answer, most, &progress};
    std::array<char, CURL_ERROR_SIZE> said{};
    const auto url = profile_->url + path;
    curl_slist* list = nullptr;
    for (const auto& header : headers) list = curl_slist_append(list, header.c_str());
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> owner(list, &curl_slist_free_all);

    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said.data());
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(profile_->timeouts.connect_s));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(profile_->timeouts.message_s));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reception);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &watch);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &reception);
    if (!profile_->user.empty()) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(curl, CURLOPT_USERNAME, profile_->user.c_str());
        curl_easy_setopt(curl, CURLOPT_PASSWORD, profile_->password.c_str());
    }
    if (const auto& tls = profile_->tls) {
        curl_blob authorities{authorities_.data(), authorities_.size(), CURL_BLOB_COPY};
        if (!authorities_.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &authorities);
        if (!tls->key.empty()) {
            curl_easy_setopt(curl, CURLOPT_SSLKEY, tls->key.c_str());
            curl_easy_setopt(curl, CURLOPT_SSLCERT, tls->certificate.c_str());
            curl_easy_setopt(curl, CURLOPT_KEYPASSWD, "");  // an encrypted key fails instead of asking at the terminal
        }
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, tls->verify ? 1L : 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, tls->verify ? 2L : 0L);
    }
    const auto code = curl_easy_perform(curl);
    if (reception.stopped) return Error{Code::cancelled, "stopped on request", kWhere};
    if (reception.too_much) return Error{Code::oversized, "the peer's answer is larger than " + std::to_string(most >> 20) + " MiB and was not taken", kWhere};
    if (code != CURLE_OK) {
        const std::string why = said[0] != '\0' ? std::string(said.data()) : std::string(curl_easy_strerror(code));
        const bool certificate = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
        return Error{Code::network, profile_->url + " cannot be reached: " + why + (certificate ? "; the peer's certificate is not believed: name the authority that signed it in tls: {ca: FILE}" : ""), kWhere};
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    const char* type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    if (type) answer.content_type = type;
    return answer;
}

}  // namespace retromass::pacs
