#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/pacs/pacs.h"
#include "tests/support/scratch.h"

namespace retromass::pacs {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFile = R"(profiles:
  ward:
    host: pacs.example.org
    port: 11112
    called_ae: WARD
  web:
    dicomweb: https://pacs.example.org/dicom-web/
    user: reader
    secret: {environment: WARD_SECRET}
)";

std::optional<std::string> nothing_set(const std::string&) { return std::nullopt; }
std::optional<std::string> one_secret(const std::string& name) { return name == "WARD_SECRET" ? std::optional<std::string>("hush-7") : std::nullopt; }

/// The message of the refusal; "accepted" where there is none.
std::string refusal_of(const std::string& text, const std::string& name = "ward", const Environment& environment = one_secret)
{
    const test::Scratch scratch;
    const auto read = read_profile(scratch.write("pacs.yaml", text), name, environment);
    if (read) return "accepted";
    EXPECT_EQ(read.error().code, Code::pacs_profile);
    return read.error().message;
}

/// One profile `ward` with these lines beside or instead of the usual ones.
std::string ward(const std::string& lines) { return "profiles:\n  ward:\n    host: h\n    port: 104\n    called_ae: WARD\n" + lines; }

TEST(ReadProfile, HoldsWhatTheFileSaysAndDefaultsForTheRest)
{
    const test::Scratch scratch;
    const auto read = read_profile(scratch.write("pacs.yaml", kFile), "ward", nothing_set);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->host + ":" + std::to_string(read->port), "pacs.example.org:11112");
    EXPECT_EQ(read->called_ae, "WARD");
    EXPECT_EQ(read->calling_ae, "RETROMASS");
    EXPECT_EQ(read->move_port, 0);
    EXPECT_FALSE(read->tls.has_value());
    EXPECT_FALSE(read->web());
}

TEST(ReadProfile, OfDicomWebTakesItsSecretFromTheEnvironment)
{
    const test::Scratch scratch;
    const auto file = scratch.write("pacs.yaml", kFile);
    const auto read = read_profile(file, "web", one_secret);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->url, "https://pacs.example.org/dicom-web");
    EXPECT_EQ(read->user + ":" + read->password, "reader:hush-7");
    EXPECT_THAT(refusal_of(kFile, "web", nothing_set), AllOf(HasSubstr("line 9"), HasSubstr("WARD_SECRET is not set")));
}

TEST(ReadProfile, TakesASecretOnlyFromAFileThatNobodyElseMayRead)
{
    namespace fs = std::filesystem;
    const test::Scratch scratch;
    const auto secret = scratch.write("pacs.secret", "hush-8\n");
    const auto file = scratch.write("pacs.yaml", "profiles:\n  web: {dicomweb: https://h/w, user: reader, secret: {file: pacs.secret}}\n");
    for (const auto mode : {fs::perms::group_read, fs::perms::others_read, fs::perms::others_write}) {
        fs::permissions(secret, fs::perms::owner_read | mode);
        const auto read = read_profile(file, "web", nothing_set);
        ASSERT_FALSE(read.ok());
        EXPECT_THAT(read.error().message, AllOf(HasSubstr("line 2"), HasSubstr("chmod 600"), Not(HasSubstr("hush"))));
    }
    fs::permissions(secret, fs::perms::owner_read);
    const auto read = read_profile(file, "", nothing_set);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->password, "hush-8");
}

TEST(ReadProfile, RefusesASecretInTheFileItselfWithoutRepeatingIt)
{
    const auto said = refusal_of("profiles:\n  ward:\n    dicomweb: https://h/w\n    user: reader\n    password: hush-9\n");
    EXPECT_THAT(said, AllOf(HasSubstr("line 5"), HasSubstr("secret: {file"), Not(HasSubstr("hush-9"))));
    EXPECT_THAT(refusal_of("profiles: {ward: {dicomweb: 'https://reader:hush-9@h/w'}}"), AllOf(HasSubstr("user in it"), Not(HasSubstr("hush-9"))));
}

TEST(ReadProfile, SendsNoSecretInTheClearButOnThisMachine)
{
    const auto with = [](const std::string& url) { return "profiles: {ward: {dicomweb: '" + url + "', user: reader, secret: {environment: WARD_SECRET}}}"; };
    EXPECT_THAT(refusal_of(with("http://pacs.example.org/w")), HasSubstr("in the clear"));
    EXPECT_THAT(refusal_of(with("http://localhost.example.org/w")), HasSubstr("in the clear"));
    EXPECT_EQ(refusal_of(with("http://127.0.0.1:8042/w")), "accepted");
    EXPECT_EQ(refusal_of(with("https://pacs.example.org/w")), "accepted");
}

TEST(ReadProfile, NamesLineExpectedAndFound)
{
    EXPECT_THAT(refusal_of(ward("    move_port: 99999\n")), AllOf(HasSubstr("pacs.yaml"), HasSubstr("line 6"), HasSubstr("1 to 65535"), HasSubstr("'99999'")));
    EXPECT_THAT(refusal_of(ward("    move_port: soon\n")), HasSubstr("'soon'"));
    EXPECT_THAT(refusal_of(ward("    pdu_bytes: 4095\n")), HasSubstr("4096 to 131072"));
    EXPECT_THAT(refusal_of(ward("    calling_ae: SEVENTEEN_LETTERS\n")), HasSubstr("AE title"));
    EXPECT_THAT(refusal_of(ward("    calling_ae: 'A\\B'\n")), HasSubstr("AE title"));
    EXPECT_THAT(refusal_of(ward("    calling_aet: X\n")), HasSubstr("did you mean 'calling_ae'"));
    EXPECT_THAT(refusal_of(ward("    port: 105\n")), HasSubstr("stands twice"));
    EXPECT_THAT(refusal_of(ward("    user: me\n")), HasSubstr("goes with dicomweb"));
    EXPECT_THAT(refusal_of(ward("    dicomweb: https://h/w\n")), HasSubstr("belongs to DIMSE"));
    EXPECT_THAT(refusal_of("profiles:\n  ward: {host: h, port: 104}\n"), HasSubstr("needs called_ae"));
    EXPECT_THAT(refusal_of("profiles: {ward: {dicomweb: 'ftp://h/w'}}"), HasSubstr("https://HOST/PATH"));
    EXPECT_THAT(refusal_of("profiles: {}"), HasSubstr("expected profiles"));
    EXPECT_THAT(refusal_of("profiles: [\n"), HasSubstr("line "));
}

TEST(ReadProfile, OfSeveralHasToBeNamed)
{
    EXPECT_THAT(refusal_of(kFile, ""), AllOf(HasSubstr("ward, web"), HasSubstr("--profile")));
    EXPECT_THAT(refusal_of(kFile, "wart"), HasSubstr("did you mean 'ward'"));
    const auto absent = read_profile("/nowhere/pacs.yaml", "", nothing_set);
    ASSERT_FALSE(absent.ok());
    EXPECT_THAT(absent.error().message, HasSubstr("--config FILE"));
}

TEST(ReadProfile, ChecksWhatTlsNeedsBeforeAnyoneConnects)
{
    EXPECT_THAT(refusal_of(ward("    tls: {}\n")), HasSubstr("expected ca"));
    EXPECT_EQ(refusal_of(ward("    tls: {verify: false}\n")), "accepted");
    EXPECT_THAT(refusal_of(ward("    tls: {ca: absent.pem}\n")), AllOf(HasSubstr("line 6"), HasSubstr("absent.pem")));
    EXPECT_THAT(refusal_of(ward("    tls: {verify: perhaps}\n")), HasSubstr("true or false"));
    EXPECT_THAT(refusal_of(ward("    tls: {verify: false, key: a.pem}\n")), HasSubstr("belong together"));
    EXPECT_THAT(refusal_of("profiles: {ward: {dicomweb: 'http://h/w', tls: {verify: false}}}"), HasSubstr("https"));
}

}  // namespace
}  // namespace retromass::pacs
