<?php
/**
 * What the engine reported for the status pages of owners.
 *
 * It is kept in the types and the length that we rely on, as it comes from outside: from DNS, not only from the engine.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The pages, by the ids of their mappings.
 */
final class Owner_Pages {

	const OPTION = 'closte_sync_pages';
	const LIGHTS = array( 'hosting', 'dns', 'certificate' );

	/**
	 * The most records, and values of one, that are kept.
	 */
	const MOST = 20;

	/**
	 * The most characters of what an owner reads: several findings in one text.
	 */
	const LONGEST = 3000;

	/**
	 * Keep the pages of a report. An older engine has none.
	 *
	 * @param array $told The report.
	 * @return bool Whether that is stored.
	 */
	public static function store( array $told ) {
		$told  = array_filter( array_slice( Engine::items( $told, 'pages' ), 0, Status_Links::MOST, true ), 'is_array' );
		$pages = array_map( array( self::class, 'tidy' ), $told );
		if ( array() === $pages && null === Network_Options::read( self::OPTION ) ) {
			return true;
		}
		return Network_Options::write( self::OPTION, (string) wp_json_encode( $pages ) );
	}

	/**
	 * What is known for the owner of a mapping, if it is of this name.
	 *
	 * @param int    $id     Of the mapping.
	 * @param string $domain Its name.
	 * @return array|null Null where nothing is.
	 */
	public static function of( $id, $domain ) {
		$pages = Engine::decode( Network_Options::read( self::OPTION ) );
		return isset( $pages[ $id ] ) && $pages[ $id ]['domain'] === $domain ? $pages[ $id ] : null;
	}

	/**
	 * The records of something that was told.
	 *
	 * @param array $told It.
	 * @return array[] Each with `action`, `name`, `type`, and the lists `found` and `wanted`.
	 */
	public static function records( array $told ) {
		$records = array();
		foreach ( array_slice( array_filter( Engine::items( $told, 'records' ), 'is_array' ), 0, self::MOST ) as $record ) {
			$tidy = array();
			foreach ( array( 'action', 'name', 'type' ) as $name ) {
				$tidy[ $name ] = self::short( (string) Engine::text( $record, $name ), Engine::LONGEST );
			}
			foreach ( array( 'found', 'wanted' ) as $name ) {
				$values = array_slice( array_filter( Engine::items( $record, $name ), 'is_string' ), 0, self::MOST );
				foreach ( $values as $at => $value ) {
					$values[ $at ] = self::short( $value, Engine::LONGEST );
				}
				$tidy[ $name ] = array_values( $values );
			}
			$records[] = $tidy;
		}
		return $records;
	}

	/**
	 * The beginning of a text.
	 *
	 * @param string $text The text.
	 * @param int    $most Its most characters.
	 * @return string
	 */
	public static function short( $text, $most ) {
		return mb_substr( $text, 0, $most, 'UTF-8' );
	}

	/**
	 * A page in the types that we rely on.
	 *
	 * @param array $told What came.
	 * @return array
	 */
	private static function tidy( array $told ) {
		$domain = (string) Engine::text( $told, 'domain' );
		$name   = Engine::text( $told, 'display' );
		$texts  = Engine::items( $told, 'texts' );
		$page   = array(
			'domain'  => $domain,
			'display' => null === $name ? $domain : self::short( $name, Engine::LONGEST ),
			'ready'   => ! empty( $told['ready'] ),
			'turn'    => Engine::text( $told, 'turn' ),
			'lights'  => array(),
			'texts'   => array(),
			'records' => self::records( $told ),
			'last'    => Engine::number( $told, 'last' ),
			'next'    => Engine::number( $told, 'next' ),
		);
		foreach ( Status_Words::LANGUAGES as $language => $name ) {
			$page['texts'][ $language ] = self::short( (string) Engine::text( $texts, $language ), self::LONGEST );
		}
		foreach ( array_filter( Engine::items( $told, 'lights' ), 'is_array' ) as $light ) {
			$name = Engine::text( $light, 'light' );
			if ( in_array( $name, self::LIGHTS, true ) ) {
				$page['lights'][ $name ] = array(
					'state' => (string) Engine::text( $light, 'state' ),
					'since' => Engine::number( $light, 'since' ),
				);
			}
		}
		return $page;
	}
}
