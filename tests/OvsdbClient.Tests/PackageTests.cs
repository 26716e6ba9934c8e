using Weft.TestSupport;

namespace Weft.Ovsdb.Tests;

/// <summary>What somebody gets who adds the package.</summary>
public sealed class PackageTests
{
    [Test]
    public async Task The_package_has_library_documentation_readme_and_license()
    {
        var package = await NuGetPackage.PackAsync("OvsdbClient");
        Assert.Multiple(() =>
        {
            Assert.That(package.Files, Does.Contain("lib/net10.0/Weft.Ovsdb.dll").And.Contain("lib/net10.0/Weft.Ovsdb.xml"));
            Assert.That(package.Metadata["id"], Is.EqualTo("Weft.Ovsdb"));
            Assert.That(package.Metadata["license"], Is.EqualTo("Apache-2.0"));
            Assert.That(package.Metadata["readme"], Is.EqualTo("README.md"));
            Assert.That(package.Metadata["description"], Does.Contain("OVSDB"));
            Assert.That(package.Readme, Is.Not.Empty);
        });
    }
}
