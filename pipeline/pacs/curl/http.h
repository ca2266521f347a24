#pragma once

#include <curl/curl.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/result.h"
#include "pipeline/pacs/pacs.h"

namespace retromass::pacs {

struct HttpAnswer {
    long status = 0;
    std::string content_type;
    std::vector<std::byte> body;

    std::string_view text() const { return {reinterpret_cast<const char*>(body.data()), body.size()}; }
};

/// Requests below the address of a profile, one after the other over one connection. Certificates are checked, redirections are not
/// followed, no proxy is used: what is sent goes where the profile says.
class Http {
public:
    static Result<Http> open(const Profile& profile);

    /// Any answer of the peer is a value; an error says why there is none. At most `most` bytes are taken.
    Result<HttpAnswer> get(const std::string& path, const std::string& accept, std::size_t most, const Progress& progress);
    Result<HttpAnswer> post(const std::string& path, const std::string& accept, const std::string& content_type, std::span<const std::byte> body, const Progress& progress);

    /// For the value of a parameter.
    static std::string escaped(const std::string& text);

private:
    using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
    explicit Http(const Profile& profile, Handle handle) : profile_(&profile), handle_(std::move(handle)) {}
    Result<HttpAnswer> perform(const std::string& path, const std::vector<std::string>& headers, std::size_t most, const Progress& progress);

    const Profile* profile_;
    Handle handle_;
    std::string authorities_;  ///< PEM, of all files of the profile
};

}  // namespace retromass::pacs
