#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

#include "pipeline/pacs/curl/http.h"
#include "pipeline/pacs/dicom_json.h"
#include "pipeline/pacs/multipart.h"
#include "pipeline/pacs/peer.h"
#include "pipeline/pacs/status_words.h"

namespace retromass::pacs {
namespace {

constexpr const char* kWhere = "pacs: dicomweb";
constexpr const char* kJson = "application/dicom+json";
constexpr std::size_t kPage = 1000;                       ///< answers asked for at once
constexpr std::size_t kMostMatches = 1'000'000;           ///< a peer that never stops answering is not believed
constexpr std::size_t kMostAnswer = std::size_t{1} << 28; ///< bytes of one page
constexpr std::size_t kMostObject = std::size_t{1} << 32; ///< bytes of one object

std::string hex(Tag which)
{
    constexpr const char* kDigits = "0123456789ABCDEF";
    std::string out;
    for (int shift = 28; shift >= 0; shift -= 4) out += kDigits[(which >> shift) & 0xF];
    return out;
}

std::string value_of(const Attributes& keys, Tag which)
{
    const auto found = keys.find(which);
    return found == keys.end() ? std::string() : found->second;
}

/// Patients are asked for through their studies: QIDO-RS has no level of its own for them.
std::string resource(Depth depth, const Attributes& keys)
{
    std::string out = "/studies";
    if (depth == Depth::series || depth == Depth::image) out += "/" + value_of(keys, tag::study_instance_uid) + "/series";
    if (depth == Depth::image) out += "/" + value_of(keys, tag::series_instance_uid) + "/instances";
    return out;
}

/// Some peers compare an escaped value as it stands. ASCII that would have to be escaped is asked for as any character; answers
/// are looked at again (`fits`).
std::string asked(std::string value)
{
    for (auto& c : value) {
        if (static_cast<unsigned char>(c) < 0x80 && Http::escaped({c}).size() > 1) c = '?';
    }
    return Http::escaped(value);
}

std::string parameters(Depth depth, const Attributes& keys)
{
    std::string out;
    for (const auto& [which, value] : keys) {
        const bool in_path = which == tag::study_instance_uid ? depth == Depth::series || depth == Depth::image : which == tag::series_instance_uid && depth == Depth::image;
        if (in_path) continue;
        out += value.empty() ? std::string("&includefield=").append(hex(which)) : std::string("&").append(hex(which)).append("=").append(asked(value));
    }
    return out;
}

class WebPeer final : public Peer {
public:
    explicit WebPeer(const Profile& profile) : profile_(profile) {}

    Result<std::vector<Attributes>> query(Depth depth, const Attributes& keys, const Progress& progress) override
    {
        RETROMASS_TRY(connect());
        std::vector<Attributes> found;
        // Some peers give pages shorter than asked for, some the same page whatever the offset: only an empty or a repeated one ends it.
        for (std::optional<Attributes> first;;) {
            const auto path = resource(depth, keys) + "?limit=" + std::to_string(kPage) + "&offset=" + std::to_string(found.size()) + parameters(depth, keys);
            RETROMASS_TRY_ASSIGN(const auto answer, http_->get(path, kJson, kMostAnswer, progress));
            const bool below_study = depth == Depth::series || depth == Depth::image;
            if (answer.status == 204 || (answer.status == 404 && below_study)) break;
            if (answer.status != 200) return refusal("answer the question", answer.status);
            RETROMASS_TRY_ASSIGN(const auto page, attributes_of_json(answer.text()));
            if (page.empty() || (first && page.front() == *first)) break;
            first = page.front();
            found.insert(found.end(), page.begin(), page.end());
            if (found.size() > kMostMatches) return Error{Code::pacs_incomplete, profile_.url + " answers with more than a million matches; narrow the question", kWhere};
        }
        if (depth == Depth::patient) once_each(found);
        return found;
    }

    Status fetch(const Wanted& wanted, Inbox& inbox) override
    {
        RETROMASS_TRY(connect());
        const Progress goes_on = [&inbox](std::string_view, double) { return inbox.goes_on(); };
        for (const auto& instance : wanted.instances) {
            const auto path = "/studies/" + wanted.study_instance_uid + "/series/" + wanted.series_instance_uid + "/instances/" + instance;
            // "*": in the encoding it is stored in (PS3.18 8.7.3.5.2).
            RETROMASS_TRY_ASSIGN(const auto answer, http_->get(path, "multipart/related; type=\"application/dicom\"; transfer-syntax=*", kMostObject, goes_on));
            if (answer.status != 200) {
                inbox.say(refusal("give an object", answer.status).message);
                if (answer.status == 401 || answer.status == 403) break;
                continue;
            }
            const auto taken = take(answer, instance, inbox);
            if (inbox.broken()) return *inbox.broken();
            if (!taken) inbox.say(taken.error().message);
        }
        return Done{};
    }

    Status store(std::span<Outgoing> objects, const Progress& progress) override
    {
        RETROMASS_TRY(connect());
        for (std::size_t i = 0; i < objects.size(); ++i) {
            if (!goes_on(progress, "sending", static_cast<double>(i) / static_cast<double>(objects.size()))) return Error{Code::cancelled, "stopped on request", kWhere};
            if (!objects[i].settled) RETROMASS_TRY(store_one(objects[i], progress));
        }
        return Done{};
    }

private:
    Status connect()
    {
        if (http_) return Done{};
        RETROMASS_TRY_ASSIGN(auto http, Http::open(profile_));
        http_ = std::make_unique<Http>(std::move(http));
        return Done{};
    }

    Error refusal(const std::string& what, long status) const { return {Code::peer_refused, profile_.url + " does not " + what + ": " + http_words(status), kWhere}; }

    /// Keeps the first answer of each patient.
    static void once_each(std::vector<Attributes>& found)
    {
        std::set<std::pair<std::string, std::string>> seen;
        std::erase_if(found, [&](const Attributes& answer) { return !seen.insert({value_of(answer, tag::patient_id), value_of(answer, tag::patient_name)}).second; });
    }

    static Status take(const HttpAnswer& answer, const std::string& instance, Inbox& inbox)
    {
        if (is_media_type(answer.content_type, "application/dicom")) return inbox.take(instance, answer.body);
        RETROMASS_TRY_ASSIGN(const auto parts, parts_of(answer.content_type, answer.body));
        if (parts.size() != 1) return Error{Code::malformed, "the peer answers with " + std::to_string(parts.size()) + " objects where one was asked for", kWhere};
        return inbox.take(instance, parts.front());
    }

    Status store_one(Outgoing& object, const Progress& progress)
    {
        std::ifstream in(object.file, std::ios::binary);
        const std::string file{std::istreambuf_iterator<char>(in), {}};
        if (!in) {
            object.settled = true;
            object.answer = "the file cannot be read";
            return Done{};
        }
        // Longer than any chance of standing inside a file: the identifier of the object, which no pixel holds at the start of a line.
        const std::string boundary = "retromass-" + object.header.sop_instance_uid.substr(0, 56);
        const std::string head = "--" + boundary + "\r\nContent-Type: application/dicom\r\n\r\n";
        const std::string body = head + file + "\r\n--" + boundary + "--\r\n";
        RETROMASS_TRY_ASSIGN(const auto answer, http_->post("/studies", kJson, "multipart/related; type=\"application/dicom\"; boundary=" + boundary, std::as_bytes(std::span(body)), progress));
        settle(object, answer);
        return Done{};
    }

    /// 200 and 202 say that something was stored; the body says what. A body that cannot be read makes nothing sent.
    static void settle(Outgoing& object, const HttpAnswer& answer)
    {
        object.settled = true;
        const auto said = stow_answer_of_json(answer.text());
        if (said && !said->failures.empty()) {
            object.answer = status_words(static_cast<std::uint16_t>(said->failures.front()));
        } else if (answer.status != 200 && answer.status != 202) {
            object.answer = http_words(answer.status);
        } else if (!said || said->stored != 1) {
            object.answer = "the peer does not say that it stored the object (HTTP " + std::to_string(answer.status) + ")";
        } else {
            object.sent = true;
            if (!said->warnings.empty()) object.answer = status_words(static_cast<std::uint16_t>(said->warnings.front()));
        }
    }

    const Profile& profile_;
    std::unique_ptr<Http> http_;
};

}  // namespace

std::unique_ptr<Peer> web_peer(const Profile& profile) { return std::make_unique<WebPeer>(profile); }

}  // namespace retromass::pacs
