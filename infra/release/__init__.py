"""What a release consists of: wheel and source archive, their bill of materials, their checksums."""
